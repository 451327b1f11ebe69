"""Names of columns and keys by which tables are understood."""

#: Columns that hold an item's id, in the order of preference.
IDS = (
    "item_id", "id", "image_id", "file_name", "filename", "image", "image_path", "image_name",
    "img", "file", "path", "filepath", "name", "uid", "uuid", "key", "sample_id", "doc_id",
    "text_id", "custom_id", "task_id", "frame_index", "img_path", "img_name", "img_file",
    "image_file", "file_path", "image_uri", "patient_id", "study_id", "document_id", "example_id",
    "row_id", "url", "request_id", "comment_id", "reference_id",
    "fname", "audio", "audio_path", "audio_file", "video", "video_path", "video_file", "begin_path",
    "row_ids", "rowname", "row_name", "rownames", "record_id", "instance_id", "global_key",
    "itemid", "imageid", "taskid", "docid", "sampleid",
    "item", "item_name", "task", "task_name", "question_id", "hit_id", "img_id", "tile_id",
    "patch_id", "sentence_id", "message_id", "ticket_id", "review_id", "article_id", "case_id",
    "uri", "recording", "recording_id", "audio_id", "audio_file_name", "audio_filename",
    "audio_filepath", "begin_file", "sound_file", "wav", "wav_file", "clip", "clip_id", "clip_name",
    "utterance_id", "utt_id", "sample", "index", "row", "row_number",
    "inst",
    "hash", "md5", "md5sum", "md5_hash", "sha1", "sha256", "sha512", "checksum", "digest",
    "image_hash", "file_hash", "content_hash", "image_md5", "file_md5", "guid", "asset_id",
    "media_id", "photo_id", "image_url", "img_url", "product_id", "transaction_id", "post_id",
    "tweet_id", "conversation_id", "page_id", "specimen_id", "accession",
    # German, French, Spanish, Italian, Portuguese; accents don't count.
    "bild", "bildname", "bilddatei", "dateiname", "datei", "dateipfad", "pfad", "nom_du_fichier",
    "nom_fichier", "fichier", "chemin", "nombre_de_archivo", "nombre_archivo", "archivo", "imagen",
    "ruta", "nome_file", "immagine", "nome_do_arquivo", "arquivo", "ficheiro", "imagem",
    "identifiant", "identificador",
)  # fmt: skip
#: Columns that hold a predicted class.
ANSWERS = (
    "prediction", "predicted", "pred", "predicted_class", "predicted_label", "pred_class",
    "pred_label", "label_pred", "y_pred", "top1", "top_1", "top1_class", "class_name",
    "category_name", "label_name", "scored_labels", "class", "category", "class_id", "category_id",
    "answer", "verdict", "prediction_label", "prediction_class", "predicted_category",
    "predicted_name", "class_pred", "pred_name", "pred_category", "species", "common_name",
    "scientific_name", "event_label", "model_prediction", "model_label", "ai_label",
    "ai_prediction",
    "vorhersage", "klasse", "kategorie", "klassenname", "classe", "categorie", "prediccion",
    "clase", "categoria", "predizione", "previsione", "predicao", "previsao",
)  # fmt: skip
#: Names of columns with the first, second, … class, without the number.
RANKED_CLASSES = (
    *ANSWERS, "label", "top", "index", "class_index", "label_index", "top_index", "top_label",
    "top_class", "top_name", "top_pred", "top_prediction",
)  # fmt: skip
#: Columns that hold how sure a model is.
CERTAINTIES = (
    "confidence", "conf", "score", "probability", "prob", "certainty", "max_prob", "pred_score",
    "prediction_score", "pred_conf", "pred_confidence", "prediction_confidence", "confidence_pred",
    "top1conf", "top1_conf", "top1_score", "top_1_score", "top1_prob", "top_1_prob",
    "top1_confidence", "top1_probability", "pred_prob", "predicted_prob", "predicted_probability",
    "prediction_prob", "max_probability", "max_score", "max_confidence", "max_softmax",
    "class_confidence", "class_score", "class_prob", "scored_probabilities", "predicted_score",
    "predicted_confidence", "p",
    "confidence_score", "conf_score", "model_confidence", "model_score", "ai_confidence",
    "conf_pred", "score_pred",
    "konfidenz", "wahrscheinlichkeit", "sicherheit", "confiance", "probabilite", "confianza",
    "probabilidad", "puntuacion", "confidenza", "probabilita", "confianca", "probabilidade",
)  # fmt: skip
#: Columns that may hold what people said, but also something else.
MAYBE_LABELS = (
    "y_true", "true_label", "label_true", "ground_truth", "gt", "gt_label", "target", "actual",
    "true_class", "human_label", "gold", "gold_label",
)  # fmt: skip
#: Keys of a record that hold its class, or how sure the model is of it.
CLASSES = (
    "label", "class_name", "category_name", "tag_name", "name", "class", "category", "tag",
    "display_name", "detection_name", *ANSWERS, "concept", "cls", "cls_id", "cls_name",
    "entity_group", "entity_type", "entity",
)  # fmt: skip
SCORES = (*CERTAINTIES, "detection_score", "bbox_score", "value", "likelihood", "weight")
#: Columns that name the image of a box, before those that number the box itself.
IMAGES = (
    "item_id", "image_id", "file_name", "filename", "image", "image_path", "image_name", "img",
    "img_id", "img_path", "img_name", "img_file", "image_file", "file", "filepath", "path",
    "frame_index", "frame_number", "frame_id", "frame",
)  # fmt: skip
INDEXES = ("", "unnamed: 0", "__index_level_0__")  # what pandas writes an index as
#: Columns that hold the scores of all classes, in the order of preference.
VECTORS = (
    "probs", "proba", "probas", "probability", "prob", "class_probabilities", "class_probs",
    "pred_probs", "pred_proba", "pred_probabilities", "prediction_probs", "predicted_probabilities",
    "prediction_probabilities", "y_prob", "y_proba", "y_probs", "predict_proba", "softmax",
    "distribution", "class_scores", "pred_scores", "prediction_scores", "scores", "score",
    "confidences", "y_score", "y_scores", "predictions", "prediction", "preds", "pred", "outputs",
    "output", "results", "result",
)  # fmt: skip
#: Softmax makes probabilities of logarithms of them, too.
LOGITS = (
    "logits", "logit", "pred_logits", "class_logits", "logits_per_image", "raw_scores", "logprobs",
    "log_probs", "log_probabilities", "log_proba",
)  # fmt: skip
#: Columns with the classes of parallel lists, and with their scores.
CLASS_LISTS = (
    "labels", "classes", "class_names", "names", "categories", "tags", "predicted_labels",
    "predicted_classes", "pred_labels", "pred_classes", "class_ids", "predictions",
    "index", "indices", "class_index", "class_indices", "topk_indices", "top_k_indices",
    "label",
)  # fmt: skip
SCORE_LISTS = (
    "scores", "confidences", "confidence", "probabilities", "probs", "pred_scores", "prob", "score",
)  # fmt: skip
CORNERS = (
    ("x1", "y1", "x2", "y2"),
    ("xmin", "ymin", "xmax", "ymax"),
    ("x_min", "y_min", "x_max", "y_max"),
    ("left", "top", "right", "bottom"),
)
#: Columns of a box, or of its middle, in other forms than corners.
BOXES = (
    "box", "bbox", "bounding_box", "bndbox", "xyxy", "xywh", "geometry", "polygon", "segmentation",
    "mask", "bbox_x", "x_center", "cx", "x",
)  # fmt: skip
#: Columns with the beginning and the end of a segment of a sound, video or text.
SPANS = (
    ("start", "end"), ("start_time", "end_time"), ("begin_time", "end_time"), ("begin", "end"),
    ("onset", "offset"), ("start_s", "end_s"), ("begin_time_s", "end_time_s"), ("tmin", "tmax"),
    ("start_sec", "end_sec"), ("start_seconds", "end_seconds"), ("start_ms", "end_ms"),
    ("start_frame", "end_frame"), ("start_char", "end_char"), ("start_offset", "end_offset"),
    ("start_time_s", "end_time_s"), ("begin_offset", "end_offset"), ("t_start", "t_end"),
    ("beginn", "ende"), ("anfang", "ende"), ("debut", "fin"), ("inicio", "fin"),
    ("inicio", "fim"), ("inizio", "fine"),
)  # fmt: skip
#: What the class of a segment is called beside the usual names.
SEGMENTS = (
    "event", "speaker", "speaker_id", "entity", "entity_group", "entity_type", "phoneme", "word",
)  # fmt: skip
#: Keys of records, or columns of lists, that show that something was found in an image.
SHAPES = (
    "bbox", "box", "boxes", "bboxes", "bounding_box", "rect", "rectangle", "segmentation", "mask",
    "polygon", "points", "keypoints", "pred_boxes", "coordinates", "box2d", "box_2d", "box3d",
    "box_3d", "translation", "vertices", "bounding_poly", "poly2d", "xyxy", "xywh", "xyxyn",
    "xywhn", "bbox_xyxy", "bbox_xywh", "rle",
)  # fmt: skip
#: Lists whose records are objects in an image, whatever else they say.
OBJECT_LISTS = (
    "detections", "detected_objects", "objects", "instances", "masks", "boxes", "bboxes", "shapes",
    "persons", "people", "faces",
)  # fmt: skip
SIDES = (("x", "y", "width", "height"), ("x", "y", "w", "h"), ("left", "top", "width", "height"))
#: Columns that tell the predictions of several models apart.
VERSIONS = (
    "model", "model_name", "model_id", "model_version", "version", "checkpoint", "epoch", "fold",
    "run", "run_id", "seed", "member", "network", "estimator",
)  # fmt: skip
YOLOV5 = {"image_name", "prediction", "confidence"}  # detections, without their boxes
SIZES = (("image_width", "image_height"), ("img_width", "img_height"), ("width", "height"))
