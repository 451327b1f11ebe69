# %% [markdown]
# # Easy active learning on digits
#
# Train a model on the digits that are labelled, let it find those it is least sure about, and label these next.
# You need labelnext, without any extra; the 1,797 digits come with scikit-learn. It takes a few seconds.

# %%
import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

import labelnext

pixels, digits = load_digits(return_X_y=True)
labelled = np.zeros(len(digits), dtype=bool)
labelled[np.random.default_rng(0).choice(len(digits), 150, replace=False)] = True
model = LogisticRegression(max_iter=2000).fit(pixels[labelled] / 16, digits[labelled])
probabilities = model.predict_proba(pixels / 16)

# %% [markdown]
# A pool holds what is known of each item: here the class probabilities, and a label where somebody gave one. −1 stands
# for no label.

# %%
pool = labelnext.Pool(
    [f"digit-{number:04d}" for number in range(len(digits))],
    probabilities=probabilities,
    classes=[str(digit) for digit in range(10)],
    labels=np.where(labelled, digits, -1),
)
ranking = labelnext.rank(pool, "margin", budget=100)
print(ranking.to_rows()[:3])

# %% [markdown]
# Is the batch worth labelling? Here we know the truth, so we can count how often the model is wrong in it, and how often
# in the rest.

# %%
wrong = probabilities.argmax(axis=1) != digits
in_batch = np.isin(pool.item_ids, ranking.item_ids)
print(f"wrong in the batch: {wrong[in_batch].mean():.0%}")
print(f"wrong in the rest: {wrong[~in_batch & ~labelled].mean():.0%}")

# %% [markdown]
# Label the batch, train again, and compare with 100 digits drawn at random.


# %%
def accuracy(chosen):
    """Of a model that also learns from the chosen digits, on all others."""
    known = labelled | chosen
    learned = LogisticRegression(max_iter=2000).fit(pixels[known] / 16, digits[known])
    others = ~(labelled | chosen | in_batch)
    return learned.score(pixels[others] / 16, digits[others])


at_random = np.zeros(len(digits), dtype=bool)
at_random[np.random.default_rng(1).choice(np.flatnonzero(~labelled), 100, replace=False)] = True
print(f"with the batch: {accuracy(in_batch):.1%}, with 100 at random: {accuracy(at_random):.1%}")

# %% [markdown]
# The same works where people label: see the [tutorial](../mnist.md) with FiftyOne and Label Studio.
