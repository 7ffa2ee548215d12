// SPDX-License-Identifier: Apache-2.0
#include "wse/tiles/kernels/attention.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "attention_backward.h"
#include "attention_forward.h"

namespace wse::tiles {
namespace {

enum Which : std::uint32_t { kQuery, kKey, kValue, kResultGradient, kKinds };

}  // namespace

std::uint32_t AttentionShape::tile_tokens() const {
  return round_up((tokens + mesh.rows - 1) / mesh.rows, lanes_of_wire(type));
}
std::uint32_t AttentionShape::tile_features() const {
  const std::uint32_t columns = columns_of_head();
  return (head_features + columns - 1) / columns;
}

/// From a feature to the next one.
std::uint32_t Attention::stride(const Array& activations) const {
  return map_.stride_or(round_up(shape_.tile_tokens(), kBankTurn / activations.element_bytes));
}

Attention::Attention(const AttentionShape& shape, const MeshConfig& config, std::uint64_t seed,
                     const MemoryMap& map)
    : shape_(shape), config_(config), seed_(seed), map_(map), kernel_(shape.mesh) {
  kernel_.name = shape.backward ? "attention gradient" : "attention";
  if (shape.type == DataType::kFp16) {
    throw ProgramError(kernel_.name +
                       ": sums of fp16 are too coarse; mixed keeps activations of fp16");
  }
  if (shape.heads == 0 || shape.mesh.columns % shape.heads != 0) {
    throw ProgramError(fmt::format("{}: {} columns are no equal groups for {} heads", kernel_.name,
                                   shape.mesh.columns, shape.heads));
  }
  const std::uint32_t most = config.compute.cache_bytes / 4;
  if (shape.tile_tokens() > most) {
    throw ProgramError(fmt::format(
        "{}: {} tokens a tile; their sums fit beside the datapath for {}: {} rows would do",
        kernel_.name, shape.tile_tokens(), most, (shape.tokens + most - 1) / most));
  }
  check_stride(map, kernel_.name, shape.type, shape.tile_tokens());
  make_programs();
  route();
}

void Attention::make_programs() {
  const fabric::Mesh mesh = shape_.mesh;
  const LineRing ring = LineRing::folded(Line::row(mesh, 0, 0, shape_.columns_of_head() - 1),
                                         attention_colors::kRing);
  // Rows differ as the first, the last, and in the colors of those next to them.
  using Key = std::tuple<std::uint32_t, bool, bool, std::uint32_t>;
  std::map<Key, std::uint16_t> programs;
  const auto write = [&](auto program, bool is_last) {
    const std::uint16_t number = kernel_.add(program.write());
    if (is_last) predicted_ = std::max(predicted_, program.cycles());
    return number;
  };
  for (std::uint32_t y = 0; y < shape_.rows(); ++y) {
    for (std::uint32_t x = 0; x < mesh.columns; ++x) {
      const AttentionPlace place{ring, ring.rank(x % shape_.columns_of_head()), y};
      const bool is_last = y + 1 == shape_.rows();
      const Key key(place.rank, y == 0, is_last, y % 2);
      const auto [it, is_new] = programs.emplace(key, 0);
      if (is_new) {
        it->second = shape_.backward
                         ? write(AttentionBackward(shape_, config_.compute, place, map_), is_last)
                         : write(AttentionForward(shape_, config_.compute, place, map_), is_last);
      }
      kernel_.program_of[mesh.tile(x, y)] = it->second;
    }
  }
}

void Attention::route() {
  const fabric::Mesh mesh = shape_.mesh;
  fabric::RouteTable& routes = kernel_.routes;
  const std::uint32_t rows = shape_.rows();
  const std::uint32_t columns = shape_.columns_of_head();
  for (std::uint32_t x = 0; x < mesh.columns; ++x) {
    const Line line = Line::column(mesh, x, 0, rows - 1);
    for (std::uint8_t stream = 0; stream < (shape_.backward ? 1 : 2); ++stream) {
      const auto color = static_cast<std::uint8_t>(attention_colors::kBlocks + stream);
      shape_.causal ? route_turns_forth(routes, line, color) : route_turns(routes, line, color);
    }
    for (std::uint32_t y = 1; shape_.backward && y < rows; ++y) {
      const auto color = [](std::uint8_t colors, std::uint32_t row) {
        return static_cast<std::uint8_t>(colors + row % 2);
      };
      const std::uint8_t up = color(attention_colors::kUp, y);
      routes.set(mesh.tile(x, y), up, {fabric::Port::kRamp, fabric::Port::kNorth});
      routes.set(mesh.tile(x, y - 1), up, {fabric::Port::kSouth, fabric::Port::kRamp});
      if (shape_.causal) continue;
      const std::uint8_t down = color(attention_colors::kDown, y - 1);
      routes.set(mesh.tile(x, y - 1), down, {fabric::Port::kRamp, fabric::Port::kSouth});
      routes.set(mesh.tile(x, y), down, {fabric::Port::kNorth, fabric::Port::kRamp});
    }
  }
  for (std::uint32_t y = 0; y < rows; ++y) {
    for (std::uint32_t x = 0; x < mesh.columns; x += columns) {
      LineRing::folded(Line::row(mesh, y, x, x + columns - 1), attention_colors::kRing)
          .route(routes);
    }
  }
}

base::Rectangle Attention::working_tiles() const {
  return {{0, shape_.mesh.columns}, {0, shape_.rows()}};
}

// Data ----------------------------------------------------------------------------------------------

AttentionResult Attention::reference(const AttentionShape& s, const AttentionData& head) {
  const std::uint32_t n = s.tokens;
  const std::uint32_t width = s.head_features;
  const double scale = 1 / std::sqrt(static_cast<double>(width));
  const auto dot = [&](const std::vector<double>& a, std::uint32_t i, const std::vector<double>& b,
                       std::uint32_t j) {
    double sum = 0;
    for (std::uint32_t f = 0; f < width; ++f) {
      sum += a[std::size_t{f} * n + i] * b[std::size_t{f} * n + j];
    }
    return sum;
  };
  const auto add = [&](std::vector<double>& to, std::uint32_t i, double factor,
                       const std::vector<double>& from, std::uint32_t j) {
    for (std::uint32_t f = 0; f < width; ++f) {
      to[std::size_t{f} * n + i] += factor * from[std::size_t{f} * n + j];
    }
  };
  const std::vector<double> zeros(std::size_t{n} * width);
  AttentionResult r{zeros, zeros, zeros, zeros, std::vector<double>(n)};
  for (std::uint32_t i = 0; i < n; ++i) {
    const std::uint32_t keys = s.causal ? i + 1 : n;
    std::vector<double> p(keys);
    for (std::uint32_t j = 0; j < keys; ++j) p[j] = scale * dot(head.q, i, head.k, j);
    const double largest = *std::max_element(p.begin(), p.end());
    double sum = 0;
    for (double& value : p) sum += value = std::exp(value - largest);
    r.log_sum[i] = largest + std::log(sum);
    for (std::uint32_t j = 0; j < keys; ++j) add(r.y, i, p[j] /= sum, head.v, j);
    if (head.dy.empty()) continue;
    const double delta = dot(head.dy, i, r.y, i);
    for (std::uint32_t j = 0; j < keys; ++j) {
      const double ds = p[j] * (dot(head.dy, i, head.v, j) - delta) * scale;
      add(r.dq, i, ds, head.k, j);
      add(r.dk, j, ds, head.q, i);
      add(r.dv, j, p[j], head.dy, i);
    }
  }
  return r;
}

AttentionData Attention::data_of(std::uint32_t head) const {
  const auto numbers = [&](std::uint32_t which) {
    std::vector<double> values;
    for (std::uint32_t f = 0; f < shape_.head_features; ++f) {
      const std::uint64_t stream = std::uint64_t{which} << 32 | (head * shape_.head_features + f);
      for (std::uint32_t i = 0; i < shape_.tokens; ++i) {
        const double value = random_number(seed_, stream, i);
        // Scores that differ by a few, so that shares do.
        values.push_back(
            rounded(which == kQuery ? 4 * value : value, element_bytes_of(shape_.type)));
      }
    }
    return values;
  };
  AttentionData data{numbers(kQuery), numbers(kKey), numbers(kValue), {}};
  if (shape_.backward) data.dy = numbers(kResultGradient);
  return data;
}

template <class What>
void Attention::each_vector(std::uint32_t head, const What& what) const {
  const std::uint32_t t = shape_.tile_tokens();
  const std::uint32_t each = shape_.tile_features();
  for (std::uint32_t f = 0; f < shape_.head_features; ++f) {
    const std::uint32_t x = head * shape_.columns_of_head() + f / each;
    for (std::uint32_t y = 0; y < shape_.rows(); ++y) {
      what(shape_.mesh.tile(x, y), f, y * t, std::min(t, shape_.tokens - y * t));
    }
  }
}

/// Numbers by feature, by token, to the tiles that hold them.
void Attention::put(TileMesh& mesh, std::uint32_t head, const char* name, std::uint32_t row,
                    const std::vector<double>& numbers) const {
  const Array array = *kernel_.programs.front().find_array(name);
  const std::uint32_t stride = this->stride(array);
  each_vector(head, [&](std::uint32_t tile, std::uint32_t f, std::uint32_t first, std::uint32_t n) {
    const auto begin = numbers.begin() + std::ptrdiff_t{f} * shape_.tokens + first;
    write_numbers(mesh, tile, array, {begin, begin + n},
                  (row + f % shape_.tile_features()) * stride);
  });
}

/// A number a query, to all tiles of the head.
void Attention::put_of_queries(TileMesh& mesh, std::uint32_t head, const char* name,
                               const std::vector<double>& numbers) const {
  const Array array = *kernel_.programs.front().find_array(name);
  const std::uint32_t t = shape_.tile_tokens();
  for (std::uint32_t i = 0; i < shape_.tokens; ++i) {
    for (std::uint32_t c = 0; c < shape_.columns_of_head(); ++c) {
      const std::uint32_t x = head * shape_.columns_of_head() + c;
      write_numbers(mesh, shape_.mesh.tile(x, i / t), array, {numbers[i]}, i % t);
    }
  }
}

void Attention::fill(TileMesh& mesh) const {
  for (std::uint32_t head = 0; head < shape_.heads; ++head) {
    const AttentionData data = data_of(head);
    put(mesh, head, "q", 0, data.q);
    put(mesh, head, "kv", 0, data.k);
    put(mesh, head, "kv", shape_.tile_features(), data.v);
    if (!shape_.backward) continue;
    const AttentionResult forward = reference(shape_, data);
    put(mesh, head, "y", 0, forward.y);
    put(mesh, head, "dy", 0, data.dy);
    put_of_queries(mesh, head, "log sum", forward.log_sum);
  }
}

void Attention::compare(Comparison& comparison) const {
  const Program& any = kernel_.programs.front();
  const std::uint32_t each = shape_.tile_features();
  for (std::uint32_t head = 0; head < shape_.heads; ++head) {
    const AttentionResult r = reference(shape_, data_of(head));
    const auto add = [&](const char* name, const std::vector<double>& numbers) {
      const Array array = *any.find_array(name);
      const std::uint32_t stride = this->stride(array);
      each_vector(head,
                  [&](std::uint32_t tile, std::uint32_t f, std::uint32_t first, std::uint32_t n) {
                    const auto begin = numbers.begin() + std::ptrdiff_t{f} * shape_.tokens + first;
                    comparison.add(tile, array, {begin, begin + n}, f % each * stride);
                  });
    };
    if (!shape_.backward) {
      add("y", r.y);
      continue;
    }
    add("dq", r.dq);
    const Array dkv = *any.find_array("dkv");
    each_vector(head,
                [&](std::uint32_t tile, std::uint32_t f, std::uint32_t first, std::uint32_t n) {
                  const bool is_last = shape_.mesh.at(tile).y + 1 == shape_.rows();
                  const std::uint32_t keys =
                      is_last ? round_up(shape_.last_tokens(), lanes_of_wire(shape_.type))
                              : shape_.tile_tokens();
                  for (const bool values : {false, true}) {
                    const std::vector<double>& numbers = values ? r.dv : r.dk;
                    const auto begin = numbers.begin() + std::ptrdiff_t{f} * shape_.tokens + first;
                    comparison.add(tile, dkv, {begin, begin + n},
                                   (f % each + (values ? each : 0)) * map_.stride_or(keys));
                  }
                });
  }
}

}  // namespace wse::tiles
