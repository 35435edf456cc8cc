# Plot of random walks
#
# Drawn with matplotlib, when the worker has it; the bars are printed in any case. To
# install it, in Millrace's folder, and start it again then:
# python3 -m pip --python .venv/bin/python install matplotlib
import numpy as np

walks = np.random.default_rng().choice([-1, 1], size=(2_000, 400)).cumsum(axis=1)
last = walks[:, -1]

for count, edge in zip(*np.histogram(last, bins=15), strict=False):
    print(f"{edge:7.1f} {'#' * int(count // 8)}")

try:
    import matplotlib as mpl
except ImportError:
    print("This worker has no matplotlib: no picture is drawn.")
else:
    mpl.use("Agg")  # there is no screen
    from matplotlib import pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4), sharey=True)
    left.plot(walks[:50].T, linewidth=0.5)
    left.set(title="50 of 2,000 walks", xlabel="step")
    right.hist(last, bins=31, orientation="horizontal")
    right.set(title="where they end")
    figure.savefig("walks.png", dpi=120)

{"mean": last.mean(), "deviation": last.std(), "expected deviation": 20.0}
