// SPDX-License-Identifier: Apache-2.0
#include <sqlite3.h>
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <stdexcept>

#include "wse/report/sweep_table.h"

namespace wse::report {
namespace {

using json = nlohmann::ordered_json;

/// One database file; every failure is an exception with SQLite's own words.
class Database {
 public:
  explicit Database(const std::string& path) {
    sqlite3* handle = nullptr;
    const int status = sqlite3_open(path.c_str(), &handle);
    handle_.reset(handle);
    check(status);
  }
  void run(const std::string& sql) {
    check(sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr));
  }
  /// Runs a statement with its parameters.
  void insert(const std::string& sql, const std::vector<json>& values) {
    if (sql != sql_) {
      sqlite3_stmt* statement = nullptr;
      check(sqlite3_prepare_v2(handle_.get(), sql.c_str(), -1, &statement, nullptr));
      statement_.reset(statement);
      sql_ = sql;
    }
    for (std::size_t i = 0; i < values.size(); ++i) bind(static_cast<int>(i) + 1, values[i]);
    if (sqlite3_step(statement_.get()) != SQLITE_DONE) check(SQLITE_ERROR);
    check(sqlite3_reset(statement_.get()));
  }

 private:
  void bind(int index, const json& value) {
    sqlite3_stmt* s = statement_.get();
    if (value.is_null()) {
      check(sqlite3_bind_null(s, index));
    } else if (value.is_number_float()) {
      check(sqlite3_bind_double(s, index, value.get<double>()));
    } else if (value.is_number() || value.is_boolean()) {
      const auto number =
          value.is_boolean() ? std::int64_t{value.get<bool>()} : value.get<std::int64_t>();
      check(sqlite3_bind_int64(s, index, number));
    } else {
      const std::string text = value.is_string() ? value.get<std::string>() : value.dump();
      check(sqlite3_bind_text(s, index, text.c_str(), static_cast<int>(text.size()),
                              SQLITE_TRANSIENT));
    }
  }
  void check(int status) {
    if (status != SQLITE_OK)
      throw std::runtime_error(std::string("sweep.sqlite: ") + sqlite3_errmsg(handle_.get()));
  }

  struct Close {
    void operator()(sqlite3* handle) const { sqlite3_close(handle); }
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  std::unique_ptr<sqlite3, Close> handle_;
  std::unique_ptr<sqlite3_stmt, Close> statement_;  // finalised before the handle is closed
  std::string sql_;
};

std::string quoted(const std::string& name) {
  std::string text = "\"";
  for (const char c : name) text += c == '"' ? std::string("\"\"") : std::string(1, c);
  return text + "\"";
}

/// INTEGER, REAL or TEXT: what holds every value of the column.
const char* type_of(const SweepTable& table, std::vector<json> SweepRow::*cells,
                    std::size_t column) {
  const char* type = "INTEGER";
  for (const SweepRow& row : table.rows) {
    const json& value = (row.*cells)[column];
    if (value.is_string()) return "TEXT";
    if (value.is_number_float()) type = "REAL";
  }
  return type;
}

void make_tables(Database& database, const SweepTable& table) {
  std::string columns = "run TEXT PRIMARY KEY, model TEXT";
  for (std::size_t a = 0; a < table.axes.size(); ++a)
    columns += ", " + quoted(table.axes[a]) + " " + type_of(table, &SweepRow::values, a);
  for (std::size_t m = 0; m < table.metrics.size(); ++m)
    columns += ", " + quoted(table.metrics[m]) + " " + type_of(table, &SweepRow::results, m);
  columns += ", status TEXT, exit_status INTEGER, message TEXT, pareto INTEGER, report TEXT";
  database.run("CREATE TABLE runs (" + columns + ")");
  database.run(
      "CREATE TABLE parameters (run TEXT REFERENCES runs(run), path TEXT, value, "
      "PRIMARY KEY (run, path))");
}

void insert_runs(Database& database, const SweepTable& table) {
  const std::size_t columns = 7 + table.axes.size() + table.metrics.size();
  std::string marks = "?";
  for (std::size_t c = 1; c < columns; ++c) marks += ", ?";
  for (const SweepRow& row : table.rows) {
    std::vector<json> values{row.id, row.model};
    values.insert(values.end(), row.values.begin(), row.values.end());
    values.insert(values.end(), row.results.begin(), row.results.end());
    for (const json& last : {json(name_of(row.status)), json(row.exit_status), json(row.message),
                             json(row.pareto), json(row.report())})
      values.push_back(last);
    database.insert("INSERT INTO runs VALUES (" + marks + ")", values);
  }
}

}  // namespace

void write_sweep_sqlite(const SweepTable& table, const RowParameters& parameters,
                        const std::string& path) {
  const std::string beside = path + ".new." + std::to_string(getpid());
  std::remove(beside.c_str());
  try {
    Database database(beside);
    database.run("PRAGMA synchronous = OFF; BEGIN");
    make_tables(database, table);
    insert_runs(database, table);
    for (std::size_t r = 0; r < table.rows.size(); ++r) {
      for (const auto& [name, value] : parameters(r))
        database.insert("INSERT INTO parameters VALUES (?, ?, ?)", {table.rows[r].id, name, value});
    }
    database.run("COMMIT");
  } catch (const std::exception&) {
    std::remove(beside.c_str());
    throw;
  }
  if (std::rename(beside.c_str(), path.c_str()) != 0) {
    std::remove(beside.c_str());
    throw std::runtime_error("sweep.sqlite: " + path + " cannot be replaced");
  }
}

}  // namespace wse::report
