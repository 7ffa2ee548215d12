// SPDX-License-Identifier: Apache-2.0
#include "wse/tiles/kernels/window_gemm.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "terms_of.h"
#include "window_sums.h"
#include "wse/base/check.h"
#include "wse/tiles/cost_terms.h"

namespace wse::tiles {
namespace {

using fabric::Port;
using fabric::PortSet;

constexpr std::uint32_t kNeighbours = 2;  ///< columns on each side that the ring reaches

std::uint32_t first_column(const WindowGemmShape& shape) {
  return shape.columns.begin - std::min(kNeighbours, shape.columns.begin);
}
fabric::Mesh mesh_of(const WindowGemmShape& shape) {
  const std::uint32_t end = std::min(shape.ring, shape.columns.end + kNeighbours);
  return {end - first_column(shape), shape.rows + 1};
}

std::vector<WindowPlace> places_of(const WindowGemmShape& shape) {
  const LineRing ring = window_ring(shape);
  const std::uint32_t west = first_column(shape);
  const std::uint32_t columns = mesh_of(shape).columns;
  const auto inside = [&](std::uint32_t rank) {
    const std::uint32_t column = ring.place(rank);
    return west <= column && column < west + columns;
  };
  std::vector<WindowPlace> places;
  for (std::uint32_t x = 0; x < columns; ++x) {
    WindowPlace place;
    place.rank = ring.rank(west + x);
    place.hears = inside(place.rank + shape.ring - 1);
    place.sends = inside(place.rank + 1);
    WSE_CHECK(place.hears || place.sends, "a neighbour of the window without one in it");
    places.push_back(place);
  }
  return places;
}

/// The bytes of an array.
class Image {
 public:
  explicit Image(const Array& array) : array_(array), bytes_(array.bytes()) {}
  void set(std::uint32_t element, double value) {
    const std::uint32_t bits = bits_of_number(value, array_.element_bytes);
    std::memcpy(&bytes_[std::size_t{element} * array_.element_bytes], &bits, array_.element_bytes);
  }
  void write(const WindowGemm::Write& write, std::uint32_t tile) const {
    write(tile, array_.address, bytes_.data(), bytes_.size());
  }

 private:
  const Array array_;
  std::vector<std::uint8_t> bytes_;
};

}  // namespace

std::uint32_t WindowGemmShape::inputs_of(std::uint32_t column) const {
  const auto before = [&](std::uint32_t c) {
    return static_cast<std::uint32_t>(std::uint64_t{inputs} * c / ring);
  };
  return std::max(1U, before(column + 1) - before(column));
}

WindowGemm::WindowGemm(const WindowGemmShape& shape, const MeshConfig& config, std::uint64_t seed)
    : shape_(shape),
      config_(config),
      seed_(seed),
      west_(first_column(shape)),
      kernel_(mesh_of(shape)) {
  WSE_CHECK(shape.columns.size() > 0 && shape.columns.end <= shape.ring && shape.rows > 0 &&
                shape.block_outputs > 0 &&
                shape.first_output + shape.block_outputs <= shape.outputs &&
                shape.tile_tokens % lanes_of_wire(shape.type) == 0,
            "a window of tiles, of a block and of whole wavelets");
  kernel_.name = "window gemm";
  route();
  add_programs();
  make_room();
  sums_ = window_sums(shape_, WindowData(shape_, seed_), places_of(shape_));
}

void WindowGemm::route() {
  const fabric::Mesh mesh = kernel_.mesh();
  route_down(kernel_.routes, mesh, kWindowWeightColor);
  const LineRing ring = window_ring(shape_);
  for (const WindowPlace& place : places_of(shape_)) {
    if (!place.sends || ring.size() == 1) continue;
    const std::uint32_t from = ring.place(place.rank) - west_;
    const std::uint32_t to = ring.place(place.rank + 1) - west_;
    const bool east = from < to;
    for (std::uint32_t x = from;; east ? ++x : --x) {
      const Port in = x == from ? Port::kRamp : east ? Port::kWest : Port::kEast;
      const Port out = x == to ? Port::kRamp : east ? Port::kEast : Port::kWest;
      for (std::uint32_t y = 1; y < mesh.rows; ++y) {
        kernel_.routes.set(mesh.tile(x, y), ring.sends(place.rank), {in, out});
      }
      if (x == to) break;
    }
  }
}

void WindowGemm::add_programs() {
  const fabric::Mesh mesh = kernel_.mesh();
  const LineRing ring = window_ring(shape_);
  const std::vector<WindowPlace> places = places_of(shape_);
  for (std::uint32_t x = 0; x < mesh.columns; ++x) {
    const auto words = static_cast<std::uint32_t>(weights_of_column(x));
    kernel_.program_of[mesh.tile(x, 0)] = kernel_.add(window_weight_program(words));
    Program tiles =
        window_tile_program(shape_, config_.compute, ring, places[x], shape_.inputs_of(west_ + x));
    x_.push_back(*tiles.find_array("x"));
    y_.push_back(*tiles.find_array("y"));
    const std::uint16_t number = kernel_.add(std::move(tiles));
    for (std::uint32_t y = 1; y < mesh.rows; ++y) kernel_.program_of[mesh.tile(x, y)] = number;
  }
}

/// Tiles of the window have the memory that they have; lanes and columns further outside stand behind what is
/// around them.
void WindowGemm::make_room() {
  constexpr std::uint32_t kPage = 4096;
  const base::Rectangle window = working_tiles();
  std::uint32_t most = 0;
  for (std::uint32_t x = 0; x < columns(); ++x) {
    for (const std::uint32_t y : {0U, 1U}) {
      const Program& program = *kernel_.program(kernel_.mesh().tile(x, y));
      const std::uint32_t bytes = program.memory_bytes + program.code_bytes();
      most = std::max(most, bytes);
      if (!window.contains({x, y}) || bytes <= config_.sram.size_bytes) continue;
      throw ProgramError(fmt::format(
          "{}, program '{}': needs {} bytes of data and {} of code, a tile has {}", kernel_.name,
          program.name, program.memory_bytes, program.code_bytes(), config_.sram.size_bytes));
    }
  }
  if (most > config_.sram.size_bytes) config_.sram.size_bytes = round_up(most, kPage);
  check(kernel_, config_.sram.size_bytes, config_.compute.cache_bytes);
}

std::uint64_t WindowGemm::weights_of_column(std::uint32_t x) const {
  return std::uint64_t{shape_.block_outputs} * shape_.inputs_of(west_ + x);
}

base::Rectangle WindowGemm::working_tiles() const {
  const std::uint32_t west = shape_.columns.begin - west_;
  return {{west, west + shape_.columns.size()}, {1, 1 + shape_.rows}};
}

base::Cycles WindowGemm::predicted() const {
  const TileConfig tile = tile_config_of(config_.compute);
  const CostTerms terms{tile, precision_of(shape_.type)};
  const std::uint64_t inputs = base::ceil_div(shape_.inputs, shape_.ring);
  const std::uint64_t all = inputs * shape_.block_outputs;
  return terms.axpy(all, shape_.tile_tokens) + terms.vector_start(all) +
         terms.row_reduction(shape_.block_outputs, shape_.tile_tokens) +
         CostTerms::output_start(shape_.block_outputs);
}

double WindowGemm::error_bound() const {
  if (shape_.type == DataType::kFp32) return 1e-5;
  const double wire = shape_.ring;
  const double in_tile = shape_.type == DataType::kFp16
                             ? static_cast<double>(base::ceil_div(shape_.inputs, shape_.ring))
                             : 0;
  return std::ldexp(1.0, -11) * (1 + std::sqrt(wire + in_tile * wire));
}

void WindowGemm::fill(TileMesh& mesh) const {
  fill([&mesh](std::uint32_t tile, std::uint32_t address, const void* data, std::size_t bytes) {
    mesh.write(tile, address, data, bytes);
  });
}

void WindowGemm::fill(const Write& write) const {
  for (std::uint32_t x = 0; x < columns(); ++x) {
    fill_weights(write, x);
    fill_activations(write, x);
    fill_sums(write, x);
  }
}

/// Weights of a column, and when each turn of them has come.
void WindowGemm::fill_weights(const Write& write, std::uint32_t x) const {
  const WindowData data(shape_, seed_);
  const std::uint32_t rank = window_ring(shape_).rank(west_ + x);
  std::vector<std::uint32_t> words;
  for (std::uint32_t o = 0; o < shape_.block_outputs; ++o) {
    for (std::uint32_t i = 0; i < data.inputs(rank); ++i) {
      const double w = data.weight(data.first_input(rank) + i, shape_.first_output + o);
      words.push_back(bits_of_number(w, element_bytes_of(shape_.type)));
    }
  }
  std::vector<std::uint32_t> turns;
  const std::uint64_t span = arrival_.last - std::min(arrival_.first, arrival_.last);
  const std::uint32_t clock = ComputeEngines::clock_offset({x, 0});
  for (std::size_t first = 0; first < words.size(); first += kWordsATime) {
    const std::size_t end = std::min(words.size(), first + kWordsATime);
    const base::Cycles come =
        arrival_.first + base::mul_div(span, end - 1, std::max<std::size_t>(1, words.size() - 1));
    const base::Cycles wait = come - std::min(come, arrival_.start);
    turns.push_back(static_cast<std::uint32_t>(arrival_.launch + wait) + clock);
    turns.push_back(static_cast<std::uint32_t>(end - first));
  }
  const std::uint32_t tile = kernel_.mesh().tile(x, 0);
  const Program& program = *kernel_.program(tile);
  write(tile, program.find_array("weights")->address, words.data(), 4 * words.size());
  write(tile, program.find_array("turns")->address, turns.data(), 4 * turns.size());
}

void WindowGemm::fill_activations(const Write& write, std::uint32_t x) const {
  const WindowData data(shape_, seed_);
  const std::uint32_t rank = window_ring(shape_).rank(west_ + x);
  const std::uint32_t t = shape_.tile_tokens;
  const AxpyLayout layout(shape_.type, t);
  Image image(x_[x]);
  for (std::uint32_t y = 0; y < shape_.rows; ++y) {
    for (std::uint32_t i = 0; i < data.inputs(rank); ++i) {
      for (std::uint32_t k = 0; k < t; ++k) {
        image.set(layout.element(i, k),
                  data.activation(data.first_input(rank) + i, (shape_.first_row + y) * t + k));
      }
    }
    image.write(write, kernel_.mesh().tile(x, y + 1));
  }
}

/// What comes from further outside lies in the memory of the neighbours.
void WindowGemm::fill_sums(const Write& write, std::uint32_t x) const {
  if (places_of(shape_)[x].hears) return;
  const std::uint32_t t = shape_.tile_tokens;
  const AxpyLayout layout(shape_.type, t);
  Image image(y_[x]);
  std::size_t next = 0;
  for (std::uint32_t y = 0; y < shape_.rows; ++y) {
    for (std::uint32_t place = 0; place < shape_.block_outputs; ++place) {
      for (std::uint32_t k = 0; k < t; ++k) {
        image.set(layout.element(place, k), sums_[x][next++]);
      }
    }
    image.write(write, kernel_.mesh().tile(x, y + 1));
  }
}

void WindowGemm::expect(const Expect& expect) const {
  const std::uint32_t t = shape_.tile_tokens;
  const AxpyLayout layout(shape_.type, t);
  const std::vector<WindowPlace> places = places_of(shape_);
  for (std::uint32_t x = 0; x < columns(); ++x) {
    if (!places[x].hears) continue;
    const std::size_t a_row = sums_[x].size() / shape_.rows;
    for (std::uint32_t y = 0; y < shape_.rows; ++y) {
      for (std::size_t i = 0; i < a_row; ++i) {
        const auto place = static_cast<std::uint32_t>(i / t);
        expect(kernel_.mesh().tile(x, y + 1), y_[x],
               layout.element(place, static_cast<std::uint32_t>(i % t)), {sums_[x][y * a_row + i]});
      }
    }
  }
}

void WindowGemm::compare(Comparison& comparison) const {
  expect([&comparison](std::uint32_t tile, const Array& array, std::uint32_t first,
                       const std::vector<double>& reference) {
    comparison.add(tile, array, reference, first);
  });
}

void WindowGemm::finish(const TileMesh& mesh, KernelResult& result) const {
  const base::Rectangle window = working_tiles();
  base::Cycles begin = EngineStats::kNever;
  base::Cycles end = 0;
  for (std::uint32_t y = window.rows.begin; y < window.rows.end; ++y) {
    for (std::uint32_t x = window.columns.begin; x < window.columns.end; ++x) {
      const ComputeEngines::TileTimes times = mesh.times(kernel_.mesh().tile(x, y));
      begin = std::min(begin, times.begin);
      end = std::max(end, times.end);
    }
  }
  result.cycles = end - begin;
}

}  // namespace wse::tiles
