# Monte Carlo pi, with progress
#
# Of points thrown into a square, the share that lies in the circle is pi / 4.
# `progress` moves the bar of the task.
import numpy as np

from workers.task import progress

ROUNDS = 50
POINTS = 200_000

rng = np.random.default_rng()
inside = 0
for done in range(1, ROUNDS + 1):
    x, y = rng.random((2, POINTS))
    inside += int(np.count_nonzero(x * x + y * y < 1))
    estimate = 4 * inside / (done * POINTS)
    progress(done / ROUNDS, f"pi is about {estimate:.4f}")

print(f"{ROUNDS * POINTS:,} points, off by {abs(estimate - np.pi):.6f}")
estimate
