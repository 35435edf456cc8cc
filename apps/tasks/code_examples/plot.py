# Plot of random walks
#
# Figures are shown with the task. Needs matplotlib. To install it, in Millrace's folder,
# and start it again then: python3 -m pip --python .venv/bin/python install matplotlib
import numpy as np

try:
    from matplotlib import pyplot as plt
except ImportError:
    raise ImportError("This worker has no matplotlib: see the first lines of this example.") from None

walks = np.random.default_rng().choice([-1, 1], size=(2_000, 400)).cumsum(axis=1)
last = walks[:, -1]

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4), sharey=True)
left.plot(walks[:50].T, linewidth=0.5)
left.set(title="50 of 2,000 walks", xlabel="step")
right.hist(last, bins=31, orientation="horizontal")
right.set(title="where they end")

print("expected deviation: 20")
last.std()
