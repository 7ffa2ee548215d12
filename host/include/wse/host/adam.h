// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

namespace wse::host {

struct AdamConfig {
  double learning_rate = 3e-3;
  double beta_1 = 0.9;  ///< [kingma2015], as all below
  double beta_2 = 0.999;
  double epsilon = 1e-8;
};

/// Adam [kingma2015] without weight decay, in double precision. Additions, multiplications, divisions
/// and square roots only: the same numbers on every computer.
class Adam {
 public:
  explicit Adam(const AdamConfig& config) : config_(config) {}

  /// Moves the parameters against the gradients, as many as there are.
  void step(std::vector<double>& parameters, const std::vector<double>& gradients);

 private:
  const AdamConfig config_;
  double left_1_ = 1;  ///< beta_1 to the power of the steps
  double left_2_ = 1;
  std::vector<double> mean_, square_;
};

}  // namespace wse::host
