// SPDX-License-Identifier: Apache-2.0
#include "wse/tiles/kernels/collective_job.h"

#include <algorithm>

#include "wse/tiles/half.h"

namespace wse::tiles {
namespace {

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
  const float value = random_number(seed_, tile, element);
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

void CollectiveJob::fill(TileMesh& mesh) const {
  std::vector<double> numbers;
  for (std::uint32_t tile = 0; tile < collective_.shape.mesh.tiles(); ++tile) {
    numbers.clear();
    for (std::uint32_t e = 0; e < data_.inputs(tile); ++e) numbers.push_back(data_.input(tile, e));
    write_numbers(mesh, tile, collective_.input, numbers);
  }
}

void CollectiveJob::compare(Comparison& comparison) const {
  for (std::uint32_t tile = 0; tile < collective_.shape.mesh.tiles(); ++tile) {
    if (data_.has_result(tile)) {
      comparison.add(tile, collective_.result, data_.reference(tile));
    }
  }
}

void CollectiveJob::finish(const TileMesh& mesh, KernelResult& result) const {
  if (collective_.shape.measured) read_times(mesh, collective_, result);
}

}  // namespace wse::tiles
