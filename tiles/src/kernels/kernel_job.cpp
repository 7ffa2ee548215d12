// SPDX-License-Identifier: Apache-2.0
#include "wse/tiles/kernels/kernel_job.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "wse/tiles/half.h"

namespace wse::tiles {
namespace {

double value_of(std::uint32_t bits, std::uint8_t bytes) {
  if (bytes == 2) bits = widen(bits);
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

double busy_fraction(const TileMesh& mesh, const base::Rectangle& tiles, base::Cycles cycles) {
  std::uint64_t busy = 0;
  for (std::uint32_t y = tiles.rows.begin; y < tiles.rows.end; ++y) {
    for (std::uint32_t x = tiles.columns.begin; x < tiles.columns.end; ++x) {
      busy += mesh.times(mesh.kernel().mesh().tile(x, y)).busy;
    }
  }
  const double all = static_cast<double>(cycles) * static_cast<double>(tiles.tiles());
  // Jumps behind the last step are issued after the kernel's end.
  return all > 0 ? std::min(1.0, static_cast<double>(busy) / all) : 0;
}

}  // namespace

float random_number(std::uint64_t seed, std::uint64_t stream, std::uint64_t element) {
  std::uint64_t z = seed + (stream << 24 | element) * 0x9e3779b97f4a7c15ULL;  // splitmix64
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
  return static_cast<float>(static_cast<std::int32_t>((z ^ z >> 31) >> 32)) / 2147483648.0F;
}

base::EventCounts events_of(const EngineStats& stats, const fabric::EngineCounts& counts,
                            std::uint64_t tile_cycles) {
  using base::EventKind;
  base::EventCounts events = stats.events;
  at(events, EventKind::kSramRead64) += stats.banks.reads64;
  at(events, EventKind::kSramWrite64) += stats.banks.writes64;
  at(events, EventKind::kSramRead32) += stats.banks.reads32;
  at(events, EventKind::kSramWrite32) += stats.banks.writes32;
  at(events, EventKind::kLinkHop) += counts.hops;
  at(events, EventKind::kRouterTraversal) += counts.hops + counts.injected;
  at(events, EventKind::kRamp) += counts.injected + counts.delivered;
  const std::uint64_t running = at(events, EventKind::kClockRunning);
  at(events, EventKind::kClockGated) += tile_cycles > running ? tile_cycles - running : 0;
  return events;
}

double rounded(double value, std::uint8_t element_bytes) {
  const auto single = static_cast<float>(value);
  return element_bytes == 2 ? Half::of(single).value() : single;
}

std::uint32_t bits_of_number(double value, std::uint8_t element_bytes) {
  const auto single = static_cast<float>(value);
  std::uint32_t bits;
  std::memcpy(&bits, &single, sizeof bits);
  return element_bytes == 2 ? narrow(bits) : bits;
}

void write_numbers(TileMesh& mesh, std::uint32_t tile, const Array& array,
                   const std::vector<double>& numbers, std::uint32_t first) {
  const std::uint8_t bytes = array.element_bytes;
  std::vector<std::uint8_t> image(numbers.size() * bytes);
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const std::uint32_t bits = bits_of_number(numbers[i], bytes);
    std::memcpy(&image[i * bytes], &bits, bytes);
  }
  mesh.write(tile, array.address + first * bytes, image.data(), image.size());
}

void Comparison::add(std::uint32_t tile, const Array& array, const std::vector<double>& reference,
                     std::uint32_t first) {
  const std::uint8_t bytes = array.element_bytes;
  std::vector<std::uint8_t> image(reference.size() * bytes);
  mesh_.read(tile, array.address + first * bytes, image.data(), image.size());
  for (std::size_t i = 0; i < reference.size(); ++i) {
    std::uint32_t bits = 0;
    std::memcpy(&bits, &image[i * bytes], bytes);
    hash_.add(bits);
    const double error = std::abs(value_of(bits, bytes) - reference[i]);
    if (!(error <= error_)) error_ = error;  // not a number is as wrong as can be
    largest_ = std::max(largest_, std::abs(reference[i]));
  }
}

KernelResult run_kernel(const KernelJob& job, const MeshConfig& config, std::uint32_t threads,
                        const std::function<void(TileMesh&)>& before,
                        const std::function<void()>& every_some_cycles) {
  TileMesh mesh(job.kernel(), config, threads);
  job.fill(mesh);
  if (before) before(mesh);
  mesh.run(every_some_cycles);
  const EngineStats stats = mesh.stats();
  const fabric::EngineCounts counts = mesh.fabric().counts();
  KernelResult result;
  result.cycles = mesh.cycles();
  job.finish(mesh, result);
  result.busy_cycles = stats.busy_cycles;
  result.busy_fraction = busy_fraction(mesh, job.working_tiles(), result.cycles);
  result.wavelet_hops = counts.hops;
  result.delivered = counts.delivered;
  result.flops = stats.flops;
  result.banks = stats.banks;
  result.events = events_of(stats, counts, result.cycles * job.kernel().mesh().tiles());
  result.state_bytes = mesh.engines().bytes();
  Comparison comparison(mesh);
  for (const std::uint64_t value : {result.cycles, result.busy_cycles, result.wavelet_hops,
                                    result.delivered, result.flops, stats.elements}) {
    comparison.hash().add(value);
  }
  job.compare(comparison);
  result.max_abs_error = comparison.max_abs_error();
  result.max_rel_error = comparison.max_rel_error();
  result.result_hash = comparison.hash().text();
  return result;
}

}  // namespace wse::tiles
