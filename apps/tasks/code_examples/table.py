# Table with pandas
#
# The table that it returns is shown with the task; artifact() keeps a file. Needs pandas. To
# install it, in Millrace's folder, and start it again then:
# python3 -m pip --python .venv/bin/python install pandas
import numpy as np

from workers.task import artifact

try:
    import pandas as pd
except ImportError:
    raise ImportError("This worker has no pandas: see the first lines of this example.") from None

rng = np.random.default_rng(7)
orders = pd.DataFrame(
    {
        "city": rng.choice(["Bern", "Lyon", "Turin"], size=1_000),
        "items": rng.integers(1, 9, size=1_000),
        "price": rng.gamma(4, 6, size=1_000).round(2),
    }
)
orders["total"] = orders["items"] * orders["price"]
artifact(orders.to_csv(index=False).encode(), "orders.csv")

orders.groupby("city")["total"].agg(["count", "mean", "max"]).round(2)
