"""EM steps by Spark, in a process of its own.

``python spark_steps.py X.npy start.npz cores steps …`` prints, as JSON, the least seconds for each
number of steps, and the mixture after the last one. ``spark.mllib`` takes a start; ``spark.ml``,
which has the same steps, takes none.
"""

import json
import sys
import time
from types import SimpleNamespace

import numpy as np
from pyspark.mllib.clustering import GaussianMixture
from pyspark.mllib.linalg import DenseMatrix, Vectors
from pyspark.mllib.stat.distribution import MultivariateGaussian
from pyspark.sql import SparkSession

path, start_path, cores, *steps = sys.argv[1:]
spark = (
    SparkSession.builder.master(f"local[{cores}]")
    .config("spark.ui.enabled", "false")
    .config("spark.driver.memory", "4g")
    .config("spark.driver.bindAddress", "127.0.0.1")
    .config("spark.driver.host", "127.0.0.1")
    .getOrCreate()
)
spark.sparkContext.setLogLevel("ERROR")
X = np.load(path, mmap_mode="r")
d = X.shape[1]
parts = np.array_split(np.arange(len(X)), 16)
rows = spark.sparkContext.parallelize([(int(p[0]), int(p[-1]) + 1) for p in parts], len(parts))
rows = rows.flatMap(
    lambda ends: [Vectors.dense(row) for row in np.load(path, mmap_mode="r")[ends[0] : ends[1]]]
).cache()
assert rows.count() == len(X)
given = np.load(start_path)
start = SimpleNamespace(  # what ``train`` asks of an initial model
    k=len(given["weights"]),
    weights=given["weights"].tolist(),
    gaussians=[
        MultivariateGaussian(Vectors.dense(mu), DenseMatrix(d, d, Sigma.ravel(order="F").tolist()))
        for mu, Sigma in zip(given["means"], given["covariances"], strict=True)
    ],
)
seconds = {}
for _ in range(2):
    for count in map(int, steps):
        begin = time.perf_counter()
        model = GaussianMixture.train(
            rows, start.k, convergenceTol=0.0, maxIterations=count, initialModel=start
        )
        took = time.perf_counter() - begin
        seconds[count] = min(took, seconds.get(count, np.inf))
print(
    json.dumps(
        {
            "version": spark.version,
            "seconds": seconds,
            "weights": list(map(float, model.weights)),
            "means": [gaussian.mu.toArray().tolist() for gaussian in model.gaussians],
            "covariances": [gaussian.sigma.toArray().tolist() for gaussian in model.gaussians],
        }
    )
)
