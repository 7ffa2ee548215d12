// SPDX-License-Identifier: Apache-2.0
#include "reference_operations.h"

#include <algorithm>
#include <cmath>

namespace wse::host::reference {
namespace {

constexpr double kEpsilon = 1e-5;                   // of the layer norm, as the kernels have it
constexpr double kGeluFactor = 0.7978845608028654;  // sqrt(2 / pi)
constexpr double kGeluCube = 0.044715;

struct Moments {
  double mean = 0;
  double rstd = 0;
};
Moments moments(const double* x, std::size_t n) {
  double sum = 0;
  for (std::size_t i = 0; i < n; ++i) sum += x[i];
  const double mean = sum / static_cast<double>(n);
  double squares = 0;
  for (std::size_t i = 0; i < n; ++i) squares += (x[i] - mean) * (x[i] - mean);
  return {mean, 1 / std::sqrt(squares / static_cast<double>(n) + kEpsilon)};
}

/// A head of a sequence among all numbers.
struct Head {
  const AttentionSizes& sizes;
  std::size_t sequence, head;

  std::size_t features() const { return sizes.width / sizes.heads; }
  std::size_t row(std::size_t token) const { return sequence * sizes.tokens + token; }
  /// Of queries (0), keys (1), values (2) among those of all.
  std::size_t place(std::size_t token, std::size_t kind) const {
    return row(token) * 3 * sizes.width + kind * sizes.width + head * features();
  }
  std::size_t result(std::size_t token) const {
    return row(token) * sizes.width + head * features();
  }
};

double dot(const double* a, const double* b, std::size_t n) {
  double sum = 0;
  for (std::size_t i = 0; i < n; ++i) sum += a[i] * b[i];
  return sum;
}
void add(double* to, double factor, const double* from, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) to[i] += factor * from[i];
}

/// What a query gives to each of the keys that it sees.
Numbers shares(const Numbers& qkv, const Head& h, std::size_t query) {
  const double scale = 1 / std::sqrt(static_cast<double>(h.features()));
  Numbers p(query + 1);
  for (std::size_t k = 0; k < p.size(); ++k) {
    p[k] = scale * dot(&qkv[h.place(query, 0)], &qkv[h.place(k, 1)], h.features());
  }
  const double largest = *std::max_element(p.begin(), p.end());
  double sum = 0;
  for (double& value : p) sum += value = std::exp(value - largest);
  for (double& value : p) value /= sum;
  return p;
}

template <class What>
void each_query(const AttentionSizes& sizes, const What& what) {
  for (std::size_t s = 0; s < sizes.sequences; ++s) {
    for (std::size_t h = 0; h < sizes.heads; ++h) {
      for (std::size_t q = 0; q < sizes.tokens; ++q) what(Head{sizes, s, h}, q);
    }
  }
}

}  // namespace

Numbers linear(const Numbers& x, std::size_t inputs, std::size_t outputs, const double* w,
               const double* b) {
  const std::size_t tokens = x.size() / inputs;
  Numbers y(tokens * outputs);
  for (std::size_t t = 0; t < tokens; ++t) {
    double* const row = &y[t * outputs];
    if (b != nullptr) std::copy(b, b + outputs, row);
    for (std::size_t i = 0; i < inputs; ++i) {
      add(row, x[t * inputs + i], w + i * outputs, outputs);
    }
  }
  return y;
}

Numbers linear_gradient(const Numbers& x, const Numbers& dy, std::size_t inputs,
                        std::size_t outputs, const double* w, double* dw, double* db) {
  Numbers dx(x.size());
  for (std::size_t t = 0; t < x.size() / inputs; ++t) {
    const double* const row = &dy[t * outputs];
    if (db != nullptr) add(db, 1, row, outputs);
    for (std::size_t i = 0; i < inputs; ++i) {
      dx[t * inputs + i] = dot(row, w + i * outputs, outputs);
      add(dw + i * outputs, x[t * inputs + i], row, outputs);
    }
  }
  return dx;
}

Numbers norm(const Numbers& x, std::size_t width, const double* g) {
  Numbers y(x.size());
  for (std::size_t first = 0; first < x.size(); first += width) {
    const Moments m = moments(&x[first], width);
    for (std::size_t i = 0; i < width; ++i) {
      y[first + i] = (x[first + i] - m.mean) * m.rstd * g[i] + g[width + i];
    }
  }
  return y;
}

Numbers norm_gradient(const Numbers& x, const Numbers& dy, std::size_t width, const double* g,
                      double* dg) {
  const auto n = static_cast<double>(width);
  Numbers dx(x.size());
  for (std::size_t first = 0; first < x.size(); first += width) {
    const Moments m = moments(&x[first], width);
    double sum = 0;
    double with_x = 0;
    for (std::size_t i = 0; i < width; ++i) {
      const double normal = (x[first + i] - m.mean) * m.rstd;
      const double d = dy[first + i];
      dg[i] += d * normal;
      dg[width + i] += d;
      sum += d * g[i] / n;
      with_x += d * g[i] * normal / n;
    }
    for (std::size_t i = 0; i < width; ++i) {
      const double normal = (x[first + i] - m.mean) * m.rstd;
      dx[first + i] = m.rstd * (dy[first + i] * g[i] - sum - normal * with_x);
    }
  }
  return dx;
}

Numbers gelu(const Numbers& x) {
  Numbers y(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double z = kGeluFactor * (x[i] + kGeluCube * x[i] * x[i] * x[i]);
    y[i] = x[i] / 2 * (1 + std::tanh(z));
  }
  return y;
}

Numbers gelu_gradient(const Numbers& x, const Numbers& dy) {
  Numbers dx(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double tanh = std::tanh(kGeluFactor * (x[i] + kGeluCube * x[i] * x[i] * x[i]));
    const double slope = kGeluFactor * (1 + 3 * kGeluCube * x[i] * x[i]);
    dx[i] = dy[i] * ((1 + tanh) / 2 + x[i] / 2 * (1 - tanh * tanh) * slope);
  }
  return dx;
}

Numbers attention(const Numbers& qkv, const AttentionSizes& sizes) {
  Numbers y(qkv.size() / 3);
  each_query(sizes, [&](const Head& h, std::size_t query) {
    const Numbers p = shares(qkv, h, query);
    for (std::size_t k = 0; k < p.size(); ++k) {
      add(&y[h.result(query)], p[k], &qkv[h.place(k, 2)], h.features());
    }
  });
  return y;
}

Numbers attention_gradient(const Numbers& qkv, const Numbers& dy, const AttentionSizes& sizes) {
  Numbers dqkv(qkv.size());
  each_query(sizes, [&](const Head& h, std::size_t query) {
    const std::size_t n = h.features();
    const double scale = 1 / std::sqrt(static_cast<double>(n));
    const double* const d = &dy[h.result(query)];
    const Numbers p = shares(qkv, h, query);
    Numbers dp(p.size());
    for (std::size_t k = 0; k < p.size(); ++k) dp[k] = dot(d, &qkv[h.place(k, 2)], n);
    const double mean = dot(p.data(), dp.data(), p.size());
    for (std::size_t k = 0; k < p.size(); ++k) {
      const double ds = p[k] * (dp[k] - mean) * scale;
      add(&dqkv[h.place(query, 0)], ds, &qkv[h.place(k, 1)], n);
      add(&dqkv[h.place(k, 1)], ds, &qkv[h.place(query, 0)], n);
      add(&dqkv[h.place(k, 2)], p[k], d, n);
    }
  });
  return dqkv;
}

double cross_entropy(const Numbers& logits, const std::vector<std::uint32_t>& targets,
                     Numbers* gradient) {
  const std::size_t n = logits.size() / targets.size();
  const auto tokens = static_cast<double>(targets.size());
  double loss = 0;
  if (gradient != nullptr) gradient->assign(logits.size(), 0);
  for (std::size_t t = 0; t < targets.size(); ++t) {
    const double* const row = &logits[t * n];
    const double largest = *std::max_element(row, row + n);
    double sum = 0;
    for (std::size_t i = 0; i < n; ++i) sum += std::exp(row[i] - largest);
    loss += (largest + std::log(sum) - row[targets[t]]) / tokens;
    if (gradient == nullptr) continue;
    for (std::size_t i = 0; i < n; ++i) {
      const double hit = i == targets[t] ? 1 : 0;
      (*gradient)[t * n + i] = (std::exp(row[i] - largest) / sum - hit) / tokens;
    }
  }
  return loss;
}

}  // namespace wse::host::reference
