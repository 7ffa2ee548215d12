// SPDX-License-Identifier: Apache-2.0
#include "mesh_options.h"

#include <fmt/format.h>

#include <algorithm>

#include "wse/base/text_forms.h"

namespace wse::cli {

fabric::Mesh mesh_of(const std::string& text, base::ConfigErrors& errors) {
  constexpr std::uint32_t kMost = 4096;
  const auto size = base::parse_size(text);
  const bool legal = size && size->columns.end >= 1 && size->rows.end >= 1 &&
                     size->columns.end <= kMost && size->rows.end <= kMost;
  errors.require(legal, "--mesh", text, "must be WxH, 1 .. 4096 columns and rows");
  return legal ? fabric::Mesh{size->columns.end, size->rows.end} : fabric::Mesh{1, 1};
}

bool is_set_by_hand(const model::Origins& origins, const std::string& path) {
  return std::any_of(origins.begin(), origins.end(), [&path](const auto& origin) {
    return origin.first == path && origin.second.place == "--set";
  });
}

void restrict_to_mesh(const fabric::Mesh& mesh, model::Settings& settings,
                      model::Origins& origins) {
  base::ConfigErrors errors;
  check_mesh(mesh, settings.machine.geometry, false, errors);
  errors.throw_if_any();
  const auto note = [&origins](const char* path) {
    origins.emplace_back(path, model::Origin{"-", "-", "--mesh"});
  };
  const auto chosen = [&origins](const char* path) {
    return std::any_of(origins.begin(), origins.end(),
                       [path](const auto& origin) { return origin.first == path; });
  };
  settings.machine.geometry.user_columns = mesh.columns;
  settings.machine.geometry.user_rows = mesh.rows;
  note("wafer.user.columns");
  note("wafer.user.rows");
  const auto choose = [&](const char* path, auto& value, const auto& as_there) {
    if (chosen(path)) return;
    value = as_there;
    note(path);
  };
  choose("run.precision", settings.run.precision, "fp32");
  choose("run.batch", settings.run.batch, 1U);
  choose("run.copies", settings.run.copies, 1U);
  choose("run.recompute", settings.run.recompute, "none");
  // Kernels that follow each other on a mesh do not have the wafer's layer change; --set asks for it.
  if (!is_set_by_hand(origins, "tile.layer_change_cycles")) {
    settings.machine.tile.layer_change_cycles = 0;
    note("tile.layer_change_cycles");
  }
  settings.machine.validate(errors);
  settings.run.validate(errors);
  errors.throw_if_any();
}

void check_mesh(const fabric::Mesh& mesh, const base::GeometryConfig& geometry, bool with_lanes,
                base::ConfigErrors& errors) {
  const std::uint32_t rows = geometry.user_rows - (with_lanes ? 1 : 0);
  errors.require(mesh.columns <= geometry.user_columns && mesh.rows <= rows, "--mesh",
                 fmt::format("{}x{}", mesh.columns, mesh.rows),
                 fmt::format("must fit {}x{}, the tiles of a program{}", geometry.user_columns,
                             rows, with_lanes ? " without the row of the lanes" : ""));
}

}  // namespace wse::cli
