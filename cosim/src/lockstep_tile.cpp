// SPDX-License-Identifier: Apache-2.0
#include "wse/cosim/lockstep_tile.h"

#include <fmt/format.h>

namespace wse::cosim {

void LockstepTile::launch() {
  shadow().launch();
  twin().launch();
}

void LockstepTile::write(std::uint32_t address, std::uint32_t word) {
  shadow().write(address, word);
  twin().write(address, word);
}

std::uint32_t LockstepTile::read(std::uint32_t address) const {
  const std::uint32_t right = model().read(address);
  const std::uint32_t word = twin().read(address);
  if (word != right) {
    throw Mismatch(
        fmt::format("{} differs from the model in memory after {} clocks\n  byte {}: "
                    "model {:08x}, twin {:08x}",
                    name(), clocks(), address, right, word));
  }
  return right;
}

tiles::EngineStats LockstepTile::stats() const {
  const tiles::EngineStats right = model().stats();
  const tiles::EngineStats found = twin().stats();
  const auto compare = [this](const char* what, std::uint64_t a, std::uint64_t b) {
    if (a == b) return;
    throw Mismatch(fmt::format(
        "{} differs from the model in what it counted in {} clocks\n  {}: model {}, twin {}",
        name(), clocks(), what, a, b));
  };
  compare("first issue", right.first_issue, found.first_issue);
  compare("end", right.end, found.end);
  compare("last issue", right.last_issue, found.last_issue);
  compare("busy cycles", right.busy_cycles, found.busy_cycles);
  compare("floating-point operations", right.flops, found.flops);
  compare("elements", right.elements, found.elements);
  compare("reads of 64 bits", right.banks.reads64, found.banks.reads64);
  compare("writes of 64 bits", right.banks.writes64, found.banks.writes64);
  compare("reads of 32 bits", right.banks.reads32, found.banks.reads32);
  compare("writes of 32 bits", right.banks.writes32, found.banks.writes32);
  compare("bank conflicts", right.banks.conflict_cycles, found.banks.conflict_cycles);
  for (std::size_t k = 0; k < base::kNumEventKinds; ++k) {
    compare("events", right.events[k], found.events[k]);
  }
  return right;
}

}  // namespace wse::cosim
