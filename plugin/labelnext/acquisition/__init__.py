"""The table of acquisition functions: arrays in, scores out.

To add one, write a function in a module of this package and list it in `_FUNCTIONS`. Other packages
register an `AcquisitionFunction` as an entry point in the group ``labelnext.acquisitions``.
"""

from __future__ import annotations

from labelnext.acquisition.auto import AUTO, AUTO_FUNCTIONS, auto_acquisition
from labelnext.acquisition.box_committee import committee_certainty, localisation_stability
from labelnext.acquisition.committee import (
    bald,
    consensus_entropy,
    kl_max,
    variation_ratio,
    vote_entropy,
)
from labelnext.acquisition.distinct import distinct_entropy
from labelnext.acquisition.function import AcquisitionFunction, Unit
from labelnext.acquisition.objects import mean_object_confidence
from labelnext.acquisition.uncertainty import (
    entropy,
    least_confidence,
    margin,
    uncertainties,
    variance,
)
from labelnext.pool.pool import Pool
from labelnext.support.plugins import Table, instance_of
from labelnext.support.rows import distinct

_FUNCTIONS = distinct(
    (
        AcquisitionFunction(
            "least_confidence",
            least_confidence,
            of=("items", "objects"),
            direction="high",
            range="[0, 1 − 1/K]",
            summary="1 − max p: how unsure the model is of the most likely class",
            references="Lewis and Gale (1994); Settles (2009), 3.1",
            multilabel=True,
            answers=True,
        ),
        AcquisitionFunction(
            "margin",
            margin,
            of=("items", "objects"),
            direction="low",
            range="[0, 1]",
            summary="p1 − p2: gap between the two most likely classes",
            references="Scheffer, Decomain and Wrobel (2001); Settles (2009), 3.1",
            vectors=True,
        ),
        AcquisitionFunction(
            "variance",
            variance,
            of=("items", "objects"),
            direction="low",
            range="[0, (K − 1)/K²]",
            summary="population variance of the class probabilities",
            references="Encord Active, Acquisition functions (2023)",
            vectors=True,
        ),
        AcquisitionFunction(
            "entropy",
            entropy,
            of=("items", "objects"),
            direction="high",
            range="[0, ln K] nats",
            summary="−Σ p ln p: spread over all classes",
            references="Shannon (1948); Settles (2009), 3.1",
            multilabel=True,
        ),
        AcquisitionFunction(
            "mean_object_confidence",
            mean_object_confidence,
            of=("objects",),
            direction="low",
            range="[0, 1]",
            summary="mean confidence of the detected objects",
            references="Encord Active, Acquisition functions (2023)",
            answers=True,
        ),
        AcquisitionFunction(
            "distinct_entropy",
            distinct_entropy,
            of=("objects",),
            direction="high",
            range="[0, n ln K] nats",
            summary="summed entropy of an image's objects, counting lookalikes once",
            references="after Wu, Chen and Huang (2022), entropy-based suppression",
            embeddings=True,
        ),
        AcquisitionFunction(
            "vote_entropy",
            vote_entropy,
            of=("items",),
            direction="high",
            range="[0, ln min(M, K)] nats",
            summary="entropy of the members' votes",
            references="Dagan and Engelson (1995); Settles (2009), 3.2",
            members=True,
        ),
        AcquisitionFunction(
            "consensus_entropy",
            consensus_entropy,
            of=("items",),
            direction="high",
            range="[0, ln K] nats",
            summary="entropy of the members' mean distribution",
            references="Settles (2009), 3.2",
            members=True,
        ),
        AcquisitionFunction(
            "bald",
            bald,
            of=("items",),
            direction="high",
            range="[0, ln min(M, K)] nats",
            summary="entropy of the mean distribution minus the members' mean entropy",
            references="Houlsby et al. (2011); McCallum and Nigam (1998)",
            members=True,
        ),
        AcquisitionFunction(
            "variation_ratio",
            variation_ratio,
            of=("items",),
            direction="high",
            range="[0, 1 − 1/min(M, K)]",
            summary="share of members that vote against the majority",
            references="Freeman (1965); Beluch et al. (2018)",
            members=True,
        ),
        AcquisitionFunction(
            "kl_max",
            kl_max,
            of=("items",),
            direction="high",
            range="[0, ln M] nats",
            summary="largest KL divergence of a member from the mean distribution",
            references="McCallum and Nigam (1998); modAL",
            members=True,
        ),
        AcquisitionFunction(
            "committee_certainty",
            committee_certainty,
            of=("objects",),
            direction="low",
            range="[0, 1]",
            summary="how well model versions agree on each box: class × position × presence",
            references="after Blok et al. (2022), MaskAL; BoxAL (2024)",
            members=True,
        ),
        AcquisitionFunction(
            "localisation_stability",
            localisation_stability,
            of=("objects",),
            direction="low",
            range="[0, 1]",
            summary="overlap of the newest version's boxes with the other versions' boxes",
            references="after Kao et al. (2018)",
            members=True,
        ),
    )
)


ACQUISITIONS = Table(
    "labelnext.acquisitions", "acquisition", instance_of(AcquisitionFunction), _FUNCTIONS
)


def get_acquisition(name: str) -> AcquisitionFunction:
    """Look up an acquisition function by name.

    Raises:
        UnknownName: for an unknown name; suggests the closest match.
        ConfigError: if it comes from another package and can't be loaded.

    Example:
        >>> get_acquisition("margin").direction
        'low'
    """
    return ACQUISITIONS.get(name)


def acquisition_names() -> list[str]:
    """Names of all acquisition functions in table order, those of other packages last.

    Example:
        >>> "entropy" in acquisition_names()
        True
    """
    return ACQUISITIONS.names()


def advice(pool: Pool) -> str:
    """A hint for a pool that a function can't score: the functions that can."""
    able = []
    for name in acquisition_names():
        function = get_acquisition(name)
        if function.obstacle(pool) is None:
            usual = pool.answers or function.obstacle(pool, function.of[0]) is None
            able.append(name if usual else f"{name} with of: {function.default_of(pool)}")
    if able:
        return f"these work on this pool: {', '.join(able)}."
    return "check that predictions are read; image_diversity needs only embeddings."


__all__ = [
    "ACQUISITIONS",
    "AUTO",
    "AUTO_FUNCTIONS",
    "AcquisitionFunction",
    "Unit",
    "acquisition_names",
    "advice",
    "auto_acquisition",
    "bald",
    "committee_certainty",
    "consensus_entropy",
    "distinct_entropy",
    "entropy",
    "get_acquisition",
    "kl_max",
    "least_confidence",
    "localisation_stability",
    "margin",
    "mean_object_confidence",
    "uncertainties",
    "variance",
    "variation_ratio",
    "vote_entropy",
]
