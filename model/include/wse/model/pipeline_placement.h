// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "wse/model/pipeline_stages.h"

namespace wse::model {

/// Disjoint rectangles of user tiles, one a stage, in the order of the pipeline.
struct Placement {
  std::vector<base::Rectangle> rectangles;
  base::Cycles slowest = 0;  ///< cycles of a sample on the slowest stage
  std::uint64_t tiles = 0;   ///< of all rectangles
};

/// Finds rectangles for the stages of a pipeline.
///
/// The user rectangle is cut into strips of rows; the stages follow each other through the first strip
/// eastwards, through the next one westwards, and so on, each as high as its strip, so that neighbours in
/// the pipeline are neighbours on the wafer. For a bound on the cycles of a stage every stage has the
/// smallest width that keeps it, strips are filled in turn, and their heights are those that together
/// take the fewest rows; the smallest bound for which these rows are there is searched. More tiles than
/// that would bring nothing.
class PlacementSearch {
 public:
  PlacementSearch(const std::vector<StageLoad>& loads, const Settings& settings);

  /// The placement with the fastest slowest stage, to a hundredth, where stage s has activations of
  /// in_flight[s] samples. None if the stages do not fit.
  std::optional<Placement> best(const std::vector<std::uint64_t>& in_flight);

 private:
  /// Cycles of a sample by width, for one kind of stage and one height.
  using Course = std::vector<base::Cycles>;
  /// A strip of the height with that number has the stages up to `end`.
  struct Strip {
    std::size_t height = 0;
    std::size_t end = 0;
  };

  const Course& course(const StageLoad& load, std::size_t height);
  /// Index of the first width from which on everything fits into the SRAM of a tile.
  std::size_t narrowest(const StageLoad& load, std::size_t height, std::uint64_t in_flight) const;
  /// Index of the smallest width that keeps the bound.
  std::size_t width(std::size_t stage, std::size_t height, base::Cycles bound) const;
  std::size_t filled(std::size_t first, std::size_t height, base::Cycles bound) const;
  /// Empty if the rows do not suffice.
  std::vector<Strip> strips(base::Cycles bound) const;
  Placement snake(const std::vector<Strip>& strips, base::Cycles bound) const;

  const std::vector<StageLoad>& loads_;
  const Settings& settings_;
  std::vector<std::uint32_t> widths_;                                ///< that are tried, ascending
  std::vector<std::uint32_t> heights_;                               ///< the same
  std::map<std::pair<std::uint32_t, std::size_t>, Course> courses_;  ///< by kind and height
  // Of the search in progress, by stage and height.
  std::vector<std::vector<const Course*>> course_of_;
  std::vector<std::vector<std::size_t>> narrowest_;
};

/// From the last result of a sample in one rectangle until the other one has all: the wavelets through
/// the sides that face each other, and the way from middle to middle.
struct Transfer {
  base::Cycles cycles = 0;
  base::Cycles word = 0;   ///< of a single word
  std::uint64_t hops = 0;  ///< of all wavelets together
};
Transfer transfer_between(const base::Rectangle& from, const base::Rectangle& to, base::Bytes bytes,
                          const fabric::FabricConfig& fabric);

}  // namespace wse::model
