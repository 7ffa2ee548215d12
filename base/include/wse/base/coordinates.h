// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>

namespace wse::base {

/// Column x grows eastwards, row y grows southwards.
struct Coordinate {
  std::uint32_t x = 0;
  std::uint32_t y = 0;
  friend bool operator==(Coordinate a, Coordinate b) { return a.x == b.x && a.y == b.y; }
};

/// Half-open span of columns or rows: begin .. end - 1.
struct Span {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  std::uint32_t size() const { return end > begin ? end - begin : 0; }
  bool contains(std::uint32_t i) const { return begin <= i && i < end; }
  friend bool operator==(Span a, Span b) { return a.begin == b.begin && a.end == b.end; }
};

inline Span intersect(Span a, Span b) {
  const Span s{std::max(a.begin, b.begin), std::min(a.end, b.end)};
  return s.begin < s.end ? s : Span{};
}

/// A rectangle of tiles.
struct Rectangle {
  Span columns;
  Span rows;
  std::uint64_t tiles() const { return std::uint64_t{columns.size()} * rows.size(); }
  bool contains(Coordinate c) const { return columns.contains(c.x) && rows.contains(c.y); }
  friend bool operator==(const Rectangle& a, const Rectangle& b) {
    return a.columns == b.columns && a.rows == b.rows;
  }
};

inline Rectangle intersect(const Rectangle& a, const Rectangle& b) {
  return {intersect(a.columns, b.columns), intersect(a.rows, b.rows)};
}

/// Part i of n nearly equal parts of [0, total): floor(i total / n) .. floor((i+1) total / n).
inline Span split(std::uint32_t total, std::uint32_t parts, std::uint32_t i) {
  return {static_cast<std::uint32_t>(std::uint64_t{total} * i / parts),
          static_cast<std::uint32_t>(std::uint64_t{total} * (i + 1) / parts)};
}

}  // namespace wse::base
