# Table with pandas
#
# Needs pandas. To install it, in Millrace's folder, and start it again then:
# python3 -m pip --python .venv/bin/python install pandas
import numpy as np

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
print(orders.head(10).to_string())

by_city = orders.groupby("city")["total"].agg(["count", "mean", "max"]).round(2)
print(by_city.to_string())
by_city.reset_index().to_dict("records")
