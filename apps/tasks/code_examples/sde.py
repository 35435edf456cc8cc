# Ensemble of an SDE
#
# Paths of the Ornstein-Uhlenbeck process dX = rate (mean - X) dt + noise dW, by Euler
# and Maruyama, all at once. The mean of X is known: mean + (start - mean) exp(-rate t).
import numpy as np

from workers.task import progress

PATHS, STEPS, END = 20_000, 500, 2.0
start, mean, rate, noise = 3.0, 1.0, 1.5, 0.4

rng = np.random.default_rng(seed=1)
dt = END / STEPS
x = np.full(PATHS, start)
for step in range(1, STEPS + 1):
    x += rate * (mean - x) * dt + noise * np.sqrt(dt) * rng.standard_normal(PATHS)
    if step % 50 == 0:
        progress(step / STEPS, f"t = {step * dt:.2f}")
        print(f"t = {step * dt:.2f}: mean {x.mean():.4f}, deviation {x.std():.4f}")

expected = mean + (start - mean) * np.exp(-rate * END)
error = x.std() / np.sqrt(PATHS)
print(f"expected {expected:.4f}, found {x.mean():.4f} within {2 * error:.4f}")
x.mean()
