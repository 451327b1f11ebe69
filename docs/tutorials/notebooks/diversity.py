# %% [markdown]
# # Diversity without a model
#
# Nothing is labelled and there is no model yet. The first labels should then cover what is in the data. You need
# labelnext, without any extra; the 1,797 digits come with scikit-learn. It takes a few seconds.

# %%
import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

import labelnext

pixels, digits = load_digits(return_X_y=True)
embeddings = PCA(16, random_state=0).fit_transform(pixels)

# %% [markdown]
# Any embeddings work; those of a network trained on other images are best. No acquisition function is named, because
# there is nothing to score.

# %%
pool = labelnext.Pool(
    [f"digit-{number:04d}" for number in range(len(digits))],
    embeddings=embeddings,
    classes=[str(digit) for digit in range(10)],
)


def digits_of(ranking):
    """The true digits of a batch, in order."""
    places = {name: row for row, name in enumerate(pool.item_ids)}
    return [int(digits[places[name]]) for name in ranking.item_ids]


first = labelnext.rank(pool, None, selection="image_diversity", budget=10)
print("Image Diversity:", digits_of(first))

# %% [markdown]
# Ten clusters, one image from each. Ten images at random hold fewer different digits. TypiClust avoids clusters that
# already contain a label, looks for dense regions, and is better for larger batches.

# %%
rng = np.random.default_rng(0)
at_random = np.mean([len(set(rng.choice(digits, 10).tolist())) for _ in range(1000)])
typical = labelnext.rank(pool, None, selection="typiclust", budget=30)
print(len(set(digits_of(first))), "different digits among the first 10 of Image Diversity")
print(f"{at_random:.1f} among 10 at random, on average")
print(len(set(digits_of(typical))), "among the first 30 of TypiClust")

# %% [markdown]
# The same works where people label: see the [tutorial](../diversity.md) with FiftyOne and Label Studio.
