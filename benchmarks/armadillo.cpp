// Armadillo's gmm_full for bench.py: reads numbers of iterations, answers seconds and mean log p.
#include <armadillo>
#include <chrono>
#include <fstream>
#include <iostream>

int main(int argc, char** argv) {
  if (argc < 5) {
    const arma::arma_version v;
    std::cout << v.major << '.' << v.minor << '.' << v.patch << std::endl;
    return 0;
  }
  const arma::uword n = std::stoul(argv[2]), d = std::stoul(argv[3]), K = std::stoul(argv[4]);
  arma::mat X(d, n), means(d, K);
  arma::cube covariances(d, d, K);
  arma::rowvec weights(K);
  std::ifstream file(argv[1], std::ios::binary);
  const auto read = [&](double* to, arma::uword count) {
    file.read(reinterpret_cast<char*>(to), static_cast<std::streamsize>(count * sizeof(double)));
  };
  read(X.memptr(), n * d);
  read(means.memptr(), d * K);
  read(covariances.memptr(), d * d * K);
  read(weights.memptr(), K);
  if (!file) return 1;
  std::cout << "ready" << std::endl;
  std::cout.precision(17);

  arma::uword iterations;
  while (std::cin >> iterations) {
    arma::gmm_full model;
    model.set_params(means, covariances, weights);
    const auto begin = std::chrono::steady_clock::now();
    model.learn(X, K, arma::maha_dist, arma::keep_existing, 0, iterations, 1e-10, false);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    std::cout << took.count() << ' ' << model.avg_log_p(X) << std::endl;
  }
}
