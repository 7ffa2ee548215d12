// SPDX-License-Identifier: Apache-2.0
#include "wse/host/adam.h"

#include <cmath>

#include "wse/base/check.h"

namespace wse::host {

void Adam::step(std::vector<double>& parameters, const std::vector<double>& gradients) {
  WSE_CHECK(parameters.size() == gradients.size(), "a gradient for each parameter");
  mean_.resize(gradients.size());
  square_.resize(gradients.size());
  left_1_ *= config_.beta_1;
  left_2_ *= config_.beta_2;
  for (std::size_t i = 0; i < gradients.size(); ++i) {
    const double g = gradients[i];
    mean_[i] = config_.beta_1 * mean_[i] + (1 - config_.beta_1) * g;
    square_[i] = config_.beta_2 * square_[i] + (1 - config_.beta_2) * g * g;
    const double mean = mean_[i] / (1 - left_1_);
    const double square = square_[i] / (1 - left_2_);
    parameters[i] -= config_.learning_rate * mean / (std::sqrt(square) + config_.epsilon);
  }
}

}  // namespace wse::host
