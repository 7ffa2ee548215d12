// SPDX-License-Identifier: Apache-2.0
#include "wse/model/gpt_mesh.h"

#include <fmt/format.h>

#include <algorithm>

namespace wse::model {
namespace {

bool contains(const std::vector<std::uint32_t>& all, std::uint32_t n) {
  return std::find(all.begin(), all.end(), n) != all.end();
}

}  // namespace

std::vector<std::uint32_t> GptMesh::columns_that_fit() const {
  std::vector<std::uint32_t> all;
  for (std::uint32_t n = shape.heads; n <= shape.width; n += shape.heads) {
    if (shape.width % n == 0) all.push_back(n);
  }
  return all;
}

std::vector<std::uint32_t> GptMesh::rows_that_fit() const {
  std::vector<std::uint32_t> all;
  for (std::uint32_t n = 1; n <= shape.positions; ++n) {
    if (shape.positions % n == 0) all.push_back(n);
  }
  return all;
}

void GptMesh::validate(base::ConfigErrors& errors) const {
  errors.require(sequences >= 1, "sequences", sequences, "must be at least 1");
  errors.require(shape.heads >= 1 && shape.width % shape.heads == 0, "n_head", shape.heads,
                 fmt::format("must divide the width of {}", shape.width));
}

std::string GptMesh::indivisible() const {
  const std::vector<std::uint32_t> columns = columns_that_fit();
  const std::vector<std::uint32_t> rows = rows_that_fit();
  if (contains(columns, mesh.columns) && contains(rows, mesh.rows)) return {};
  return fmt::format(
      "must have {} columns, a multiple of {} heads that divides the width, and {} rows, which "
      "divide a sequence of {} tokens",
      fmt::join(columns, ", "), shape.heads, fmt::join(rows, ", "), shape.positions);
}

}  // namespace wse::model
