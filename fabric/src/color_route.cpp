// SPDX-License-Identifier: Apache-2.0
#include "wse/fabric/color_route.h"

namespace wse::fabric {

const char* name_of(Port port) {
  static constexpr std::array<const char*, kNumPorts> kNames{"north", "east", "south", "west",
                                                             "ramp"};
  return kNames[index_of(port)];
}

PortSet ColorRoute::inputs() const {
  PortSet set;
  for (std::size_t p = 0; p < position_count; ++p) set = set | positions[p].inputs;
  return set;
}

PortSet ColorRoute::outputs() const {
  PortSet set;
  for (std::size_t p = 0; p < position_count; ++p) set = set | positions[p].outputs;
  return set;
}

PortSet ColorRoute::outputs_of(Port input) const {
  PortSet set;
  for (unsigned p = 0; p < position_count; ++p) set = set | outputs_of(input, p);
  return set;
}

std::uint8_t ColorRoute::position_after(Command command, std::uint8_t position) const {
  if (command == Command::kReset) return 0;
  if (command != Command::kAdvance) return position;
  if (position + 1 < position_count) return static_cast<std::uint8_t>(position + 1);
  return ring ? std::uint8_t{0} : position;
}

std::uint32_t ColorRoute::data_after(const Wavelet& wavelet) const {
  if (!wavelet.control || pop == PopMode::kNever) return wavelet.data;
  const bool pops = pop == PopMode::kAlways || first_command(wavelet.data) == Command::kAdvance;
  return pops ? without_first_command(wavelet.data) : wavelet.data;
}

bool operator==(const ColorRoute& a, const ColorRoute& b) {
  return a.positions == b.positions && a.position_count == b.position_count && a.ring == b.ring &&
         a.pop == b.pop && a.filter == b.filter;
}

}  // namespace wse::fabric
