// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

namespace wse::report {

/// The files of report/html/ by name; generated at build time.
const std::map<std::string, std::string>& page_templates();

}  // namespace wse::report
