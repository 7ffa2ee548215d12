// SPDX-License-Identifier: Apache-2.0
#include "wse/fabric/die_mesh.h"

#include <algorithm>

namespace wse::fabric {

DieMesh::DieMesh(const base::WaferGeometry& geometry)
    : geometry_(geometry), free_at_(std::size_t{geometry.dies()} * 4, 0) {}

std::uint32_t DieMesh::links(std::uint32_t die, Direction direction) const {
  const std::uint32_t columns = geometry_.config().die_columns;
  const bool vertical = direction == Direction::kNorth || direction == Direction::kSouth;
  return vertical ? geometry_.fabric_columns_of(die % columns).size()
                  : geometry_.fabric_rows_of(die / columns).size();
}

base::Cycles DieMesh::reserve(std::uint32_t die, Direction direction, std::uint64_t wavelets,
                              base::Cycles head) {
  base::Cycles& free_at = free_at_[slot(die, direction)];
  const base::Cycles enter = std::max(head, free_at);
  contention_cycles_ += enter - head;
  if (wavelets > 0) free_at = enter + base::ceil_div(wavelets, links(die, direction));
  return enter;
}

}  // namespace wse::fabric
