// SPDX-License-Identifier: Apache-2.0
#include "wse/tiles/kernels/run_collective.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "wse/base/result_hash.h"
#include "wse/tiles/half.h"

namespace wse::tiles {
namespace {

/// A number in -1 .. 1 (splitmix64).
float number_of(std::uint64_t seed, std::uint64_t tile, std::uint64_t element) {
  std::uint64_t z = seed + (tile << 24 | element) * 0x9e3779b97f4a7c15ULL;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
  return static_cast<float>(static_cast<std::int32_t>((z ^ z >> 31) >> 32)) / 2147483648.0F;
}

std::uint32_t bits_of(float value) {
  std::uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

/// Elements of an array in the memory of a tile, as bits.
std::vector<std::uint32_t> read_bits(const TileMesh& mesh, std::uint32_t tile, const Array& array,
                                     std::uint32_t elements) {
  std::vector<std::uint32_t> bits(elements);
  for (std::uint32_t e = 0; e < elements; ++e) {
    mesh.read(tile, array.address + e * array.element_bytes, &bits[e], array.element_bytes);
  }
  return bits;
}

double value_of(std::uint32_t bits, std::uint8_t bytes) {
  if (bytes == 2) bits = widen(bits);
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

void fill(TileMesh& mesh, const Collective& c, const CollectiveData& data) {
  for (std::uint32_t tile = 0; tile < c.shape.mesh.tiles(); ++tile) {
    for (std::uint32_t e = 0; e < data.inputs(tile); ++e) {
      const auto value = static_cast<float>(data.input(tile, e));
      const std::uint32_t bits =
          c.input.element_bytes == 2 ? narrow(bits_of(value)) : bits_of(value);
      mesh.write(tile, c.input.address + e * c.input.element_bytes, &bits, c.input.element_bytes);
    }
  }
}

void compare(const TileMesh& mesh, const Collective& c, const CollectiveData& data,
             KernelResult& result, base::ResultHash& hash) {
  double largest = 0;
  for (std::uint32_t tile = 0; tile < c.shape.mesh.tiles(); ++tile) {
    if (!data.has_result(tile)) continue;
    const std::vector<double> reference = data.reference(tile);
    const auto bits = read_bits(mesh, tile, c.result, static_cast<std::uint32_t>(reference.size()));
    for (std::size_t e = 0; e < bits.size(); ++e) {
      hash.add(bits[e]);
      const double error = std::abs(value_of(bits[e], c.result.element_bytes) - reference[e]);
      // Not a number is as wrong as can be.
      if (!(error <= result.max_abs_error)) result.max_abs_error = error;
      largest = std::max(largest, std::abs(reference[e]));
    }
  }
  result.max_rel_error = largest > 0 ? result.max_abs_error / largest : result.max_abs_error;
}

/// Time of a kernel between the stamps of its tiles: exactly, and as a measurement finds it that knows
/// the counters only and takes the broadcast to reach each tile a cycle a hop later, and two.
void read_times(const TileMesh& mesh, const Collective& c, KernelResult& result) {
  std::int64_t first[2]{INT64_MAX, INT64_MAX};
  std::int64_t last[2]{INT64_MIN, INT64_MIN};
  for (std::uint32_t tile = 0; tile < c.shape.mesh.tiles(); ++tile) {
    const base::Coordinate at = c.shape.mesh.at(tile);
    std::uint32_t times[3];  // after the broadcast, before and after the kernel
    mesh.read(tile, c.times.address, times, sizeof times);
    const std::uint32_t origins[2]{ComputeEngines::clock_offset(at), times[0] - (at.x + at.y + 2)};
    for (int way = 0; way < 2; ++way) {
      // Counters wrap; what lies between two samples does not.
      const auto begin = static_cast<std::int32_t>(times[1] - origins[way]);
      const auto end = static_cast<std::int32_t>(times[2] - origins[way]);
      first[way] = std::min<std::int64_t>(first[way], begin);
      last[way] = std::max<std::int64_t>(last[way], end);
    }
  }
  result.cycles = static_cast<base::Cycles>(last[0] - first[0]);
  result.measured_cycles = static_cast<base::Cycles>(last[1] - first[1]);
}

}  // namespace

std::uint32_t CollectiveData::inputs(std::uint32_t tile) const {
  const std::uint32_t n = collective_.shape.elements();
  if (collective_.kind == CollectiveKind::kScatter) {
    return tile == 0 ? n * collective_.shape.mesh.tiles() : 0;
  }
  return n;
}

double CollectiveData::input(std::uint32_t tile, std::uint32_t element) const {
  const float value = number_of(seed_, tile, element);
  if (collective_.shape.type == DataType::kFp32) return value;
  return Half::of(value).value();
}

bool CollectiveData::has_result(std::uint32_t tile) const {
  switch (collective_.kind) {
    case CollectiveKind::kSend:
      return tile + 1 == collective_.shape.mesh.columns;
    case CollectiveKind::kBroadcast:
    case CollectiveKind::kAllreduce:
    case CollectiveKind::kScatter:
      return true;
    case CollectiveKind::kReduce:
    case CollectiveKind::kGather:
      return tile == 0;
  }
  return false;
}

std::vector<double> CollectiveData::reference(std::uint32_t tile) const {
  const std::uint32_t n = collective_.shape.elements();
  const std::uint32_t tiles = collective_.shape.mesh.tiles();
  std::vector<double> values;
  switch (collective_.kind) {
    case CollectiveKind::kSend:
    case CollectiveKind::kBroadcast:
      for (std::uint32_t e = 0; e < n; ++e) values.push_back(input(0, e));
      break;
    case CollectiveKind::kScatter:
      for (std::uint32_t e = 0; e < n; ++e) values.push_back(input(0, tile * n + e));
      break;
    case CollectiveKind::kGather:
      for (std::uint32_t t = 0; t < tiles; ++t) {
        for (std::uint32_t e = 0; e < n; ++e) values.push_back(input(t, e));
      }
      break;
    case CollectiveKind::kReduce:
    case CollectiveKind::kAllreduce:
      if (sums_.empty()) {
        sums_.assign(n, 0);
        for (std::uint32_t t = 0; t < tiles; ++t) {
          for (std::uint32_t e = 0; e < n; ++e) sums_[e] += input(t, e);
        }
      }
      return sums_;
  }
  return values;
}

KernelResult run_collective(const Collective& collective, const MeshConfig& config,
                            std::uint64_t seed, std::uint32_t threads,
                            const std::function<void(TileMesh&)>& before,
                            const std::function<void()>& every_some_cycles) {
  TileMesh mesh(collective.kernel, config, threads);
  const CollectiveData data(collective, seed);
  fill(mesh, collective, data);
  if (before) before(mesh);
  mesh.run(every_some_cycles);
  const EngineStats stats = mesh.engines().stats();
  const fabric::EngineCounts counts = mesh.fabric().counts();
  KernelResult result;
  result.cycles = mesh.cycles();
  if (collective.shape.measured) read_times(mesh, collective, result);
  result.busy_cycles = stats.busy_cycles;
  const double all = static_cast<double>(result.cycles) * collective.shape.mesh.tiles();
  result.busy_fraction = all > 0 ? static_cast<double>(stats.busy_cycles) / all : 0;
  result.wavelet_hops = counts.hops;
  result.delivered = counts.delivered;
  result.flops = stats.flops;
  result.banks = stats.banks;
  result.state_bytes = mesh.engines().bytes();
  base::ResultHash hash;
  for (const std::uint64_t value : {result.cycles, result.busy_cycles, result.wavelet_hops,
                                    result.delivered, result.flops, stats.elements}) {
    hash.add(value);
  }
  compare(mesh, collective, data, result, hash);
  result.result_hash = hash.text();
  return result;
}

}  // namespace wse::tiles
