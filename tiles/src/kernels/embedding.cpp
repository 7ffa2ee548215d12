// SPDX-License-Identifier: Apache-2.0
#include "wse/tiles/kernels/embedding.h"

#include <fmt/format.h>

#include <algorithm>

#include "axpy_layout.h"
#include "line.h"
#include "wse/tiles/program_builder.h"

namespace wse::tiles {
namespace {

using P = ProgramBuilder;

constexpr std::uint8_t kColor = 0;
constexpr std::uint8_t kQueue = 2;  // deep in both directions

DataType plain(DataType type) { return type == DataType::kFp32 ? type : DataType::kFp16; }

/// Elements from a feature to the next one: a turn of the banks.
std::uint32_t stride(const EmbeddingShape& s, const MemoryMap& map) {
  return map.stride_or(round_up(s.tile_tokens(), kBankTurn / element_bytes_of(s.type)));
}

}  // namespace

std::uint32_t EmbeddingShape::tile_features() const {
  return round_up((features + mesh.columns - 1) / mesh.columns, lanes_of_wire(type));
}

Embedding::Embedding(const EmbeddingShape& shape, const MeshConfig& config, std::uint64_t seed,
                     const MemoryMap& map)
    : shape_(shape),
      config_(config),
      seed_(seed),
      map_(map),
      kernel_({shape.mesh.columns, shape.mesh.rows + 1}) {
  kernel_.name = shape.backward ? "embedding gradient" : "embedding";
  if (shape.type == DataType::kFp16) {
    throw ProgramError(kernel_.name + ": takes fp32 or mixed, which keeps numbers of fp16");
  }
  check_stride(map, kernel_.name, shape.type, shape.tile_tokens());
  const std::uint64_t word = shape.tile_features() * std::uint64_t{table_bytes()};
  const std::uint64_t others = 4 * std::uint64_t{all_tokens()} + 1024;
  const std::uint64_t room = config.sram.size_bytes - std::min(config.sram.size_bytes, others);
  if (shape.vocabulary * word > room) {
    throw ProgramError(
        fmt::format("{}: {} words of {} bytes; beside {} tokens a tile of the first row holds {}",
                    kernel_.name, shape.vocabulary, word, shape.tokens, room / word));
  }
  const std::uint16_t table = kernel_.add(table_program());
  const std::uint16_t tile = kernel_.add(tile_program());
  const fabric::Mesh mesh = kernel_.mesh();
  for (std::uint32_t x = 0; x < mesh.columns; ++x) {
    const Line line = Line::column(mesh, x, 0, mesh.rows - 1);
    shape.backward ? route_gather(kernel_.routes, line, kColor)
                   : route_scatter(kernel_.routes, line, kColor);
    kernel_.program_of[mesh.tile(x, 0)] = table;
    for (std::uint32_t y = 1; y < mesh.rows; ++y) kernel_.program_of[mesh.tile(x, y)] = tile;
  }
}

/// Of the table: gradients of words are fp32.
std::uint8_t Embedding::table_bytes() const {
  return shape_.backward ? 4 : element_bytes_of(shape_.type);
}

/// Looks up all tokens, in their order.
Program Embedding::table_program() const {
  enum : std::uint8_t { kNext, kWord, kLeft, kTilesLeft };
  const std::uint32_t f = shape_.tile_features();
  const std::uint8_t bytes = element_bytes_of(shape_.type);
  P p("table");
  const Array tokens = p.array("tokens", all_tokens());
  const Array table = p.array("table", shape_.vocabulary * f, table_bytes());
  const Operand word = p.at_register(p.part(table, 0, f), kWord);
  shape_.backward ? p.input(kQueue, kColor) : p.output(kQueue, kColor);
  p.task("look up").active = true;
  p.set(kNext, P::integer(tokens.address));
  const auto count_down = [&p](std::uint8_t r, std::uint16_t begin) {
    p.scalar(VectorOp::kSub, DataType::kInt32, r, P::r(r), P::integer(1));
    p.jump_if_not_zero(P::r(r), begin);
  };
  const auto look_up = [&](bool last) {
    p.load(kWord, P::r(kNext));
    p.scalar(VectorOp::kMul, DataType::kInt32, kWord, P::r(kWord), P::integer(f * table_bytes()));
    p.scalar(VectorOp::kAdd, DataType::kInt32, kNext, P::r(kNext), P::integer(4));
    if (shape_.backward) {
      p.vector(VectorOp::kAdd, shape_.type, word, word, p.fabric_in(kQueue, bytes), P::integer(f));
    } else {
      const P::Last end = last ? P::Last::kAdvance : P::Last::kPlain;
      p.vector(VectorOp::kMove, plain(shape_.type), p.fabric_out(kQueue, bytes, end), word,
               P::integer(f));
    }
  };
  p.set(kTilesLeft, P::integer(shape_.mesh.rows));
  const std::uint16_t next_tile = p.here();
  if (shape_.tile_tokens() > 1) {
    p.set(kLeft, P::integer(shape_.tile_tokens() - 1));
    const std::uint16_t next_token = p.here();
    look_up(false);
    count_down(kLeft, next_token);
  }
  look_up(true);
  count_down(kTilesLeft, next_tile);
  p.end();
  return p.build();
}

/// Takes or sends its tokens, and sorts them by feature.
Program Embedding::tile_program() const {
  const std::uint32_t f = shape_.tile_features();
  const std::uint32_t t = shape_.tile_tokens();
  const std::uint8_t bytes = element_bytes_of(shape_.type);
  P p("tokens", map_);
  const Array x = p.array("x", f * stride(shape_, map_), bytes);
  // An odd number of words a token, so that a feature of tokens that follow each other lies in different banks.
  const std::uint32_t words = f / lanes_of_wire(shape_.type);
  const auto row = static_cast<std::int32_t>((words | 1U) * lanes_of_wire(shape_.type));
  const Array by_token = p.array("by token", static_cast<std::uint32_t>(row) * t, bytes);
  const Operand in_order = p.walk(by_token, 0, {{f, 1}, {t, row}});
  const auto sort = [&] {
    for (std::uint32_t i = 0; i < f; ++i) {
      const Operand sorted = p.part(x, i * stride(shape_, map_), t);
      const Operand unsorted = p.walk(by_token, i, {{t, row}});
      p.vector(VectorOp::kMove, plain(shape_.type), shape_.backward ? unsorted : sorted,
               shape_.backward ? sorted : unsorted, P::integer(t));
    }
  };
  p.task("tokens").active = true;
  if (shape_.backward) {
    p.output(kQueue, kColor);
    sort();
    p.vector(VectorOp::kMove, plain(shape_.type), p.fabric_out(kQueue, bytes, P::Last::kAdvance),
             in_order, P::integer(f * t));
  } else {
    p.input(kQueue, kColor);
    p.vector(VectorOp::kMove, plain(shape_.type), in_order, p.fabric_in(kQueue, bytes),
             P::integer(f * t));
    sort();
  }
  p.end();
  return p.build();
}

base::Cycles Embedding::predicted() const {
  constexpr base::Cycles kLookUp = 5;  // load, multiply, add, count, jump
  const ComputeConfig& c = config_.compute;
  const std::uint32_t f = shape_.tile_features();
  const base::Cycles sorting = base::Cycles{f} * shape_.tile_tokens();  // words apart: one a cycle
  return all_tokens() * (f / lanes_of_wire(shape_.type) + kLookUp * c.scalar_cycles) + sorting;
}

base::Rectangle Embedding::working_tiles() const { return {{0, kernel_.mesh().columns}, {0, 1}}; }

// Data ----------------------------------------------------------------------------------------------

std::uint32_t Embedding::word_of(std::uint32_t token) const {
  constexpr std::uint64_t kWords = 1;
  const double place = (random_number(seed_, kWords << 32, token) + 1.0) / 2;
  return std::min(static_cast<std::uint32_t>(place * shape_.vocabulary), shape_.vocabulary - 1);
}

/// Of a word, or of the gradient of a token.
double Embedding::number(std::uint32_t row, std::uint32_t feature) const {
  return rounded(random_number(seed_, row, feature), element_bytes_of(shape_.type));
}

void Embedding::fill(TileMesh& mesh) const {
  const Array tokens = *kernel_.programs[0].find_array("tokens");
  const Array table = *kernel_.programs[0].find_array("table");
  const Array x = *kernel_.programs[1].find_array("x");
  const std::uint32_t each = shape_.tile_features();
  const std::uint32_t t = shape_.tile_tokens();
  const fabric::Mesh all = kernel_.mesh();
  std::vector<std::uint32_t> words(all_tokens());
  for (std::uint32_t i = 0; i < shape_.tokens; ++i) words[i] = word_of(i);
  for (std::uint32_t column = 0; column < all.columns; ++column) {
    mesh.write(all.tile(column, 0), tokens.address, words.data(), words.size() * 4);
  }
  for (std::uint32_t f = 0; f < shape_.features; ++f) {
    const std::uint32_t column = f / each;
    for (std::uint32_t w = 0; !shape_.backward && w < shape_.vocabulary; ++w) {
      write_numbers(mesh, all.tile(column, 0), table, {number(w, f)}, w * each + f % each);
    }
    for (std::uint32_t i = 0; shape_.backward && i < shape_.tokens; ++i) {
      write_numbers(mesh, all.tile(column, 1 + i / t), x, {number(i, f)},
                    f % each * stride(shape_, map_) + i % t);
    }
  }
}

void Embedding::compare(Comparison& comparison) const {
  const Array table = *kernel_.programs[0].find_array("table");
  const Array x = *kernel_.programs[1].find_array("x");
  const std::uint32_t each = shape_.tile_features();
  const std::uint32_t t = shape_.tile_tokens();
  const fabric::Mesh all = kernel_.mesh();
  for (std::uint32_t f = 0; f < shape_.features; ++f) {
    std::vector<double> gradients(shape_.vocabulary);
    for (std::uint32_t i = 0; i < shape_.tokens; ++i) {
      if (shape_.backward) {
        gradients[word_of(i)] += number(i, f);
      } else {
        comparison.add(all.tile(f / each, 1 + i / t), x, {number(word_of(i), f)},
                       f % each * stride(shape_, map_) + i % t);
      }
    }
    for (std::uint32_t w = 0; shape_.backward && w < shape_.vocabulary; ++w) {
      comparison.add(all.tile(f / each, 0), table, {gradients[w]}, w * each + f % each);
    }
  }
}

}  // namespace wse::tiles
