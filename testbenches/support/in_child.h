// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <stdexcept>
#include <string>
#include <type_traits>

namespace wse::testing_support {

/// All that comes until the other end is closed.
inline std::string read_all(int descriptor) {
  std::string text;
  char buffer[4096];
  for (ssize_t n = 0; (n = read(descriptor, buffer, sizeof buffer)) > 0;) {
    text.append(buffer, static_cast<std::size_t>(n));
  }
  return text;
}

inline void write_all(int descriptor, const void* data, std::size_t size) {
  const char* at = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t n = write(descriptor, at, size);
    if (n <= 0) _exit(3);
    at += n;
    size -= static_cast<std::size_t>(n);
  }
}

/// Runs `body` in a process of its own and returns its result: SystemC elaborates once a process, so
/// this is how a test sees several runs. The caller must not have elaborated and has one thread.
/// Throws std::runtime_error with what the body threw, or if the process died.
template <class Body>
auto in_child(const Body& body) -> decltype(body()) {
  using Result = decltype(body());
  static_assert(std::is_trivially_copyable_v<Result>, "it travels through a pipe");
  int ends[2];
  if (pipe(ends) != 0) throw std::runtime_error("no pipe");
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child < 0) throw std::runtime_error("no process");
  if (child == 0) {
    close(ends[0]);
    int status = 0;
    try {
      const Result result = body();
      write_all(ends[1], &result, sizeof result);
    } catch (const std::exception& error) {
      const std::string text = error.what();
      write_all(ends[1], text.data(), text.size());
      status = 2;
    }
    _exit(status);
  }
  close(ends[1]);
  const std::string told = read_all(ends[0]);
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 2) throw std::runtime_error(told);
  if (status != 0 || told.size() != sizeof(Result)) {
    throw std::runtime_error("the process of a run ended with status " + std::to_string(status));
  }
  Result result{};
  told.copy(reinterpret_cast<char*>(&result), sizeof result);
  return result;
}

}  // namespace wse::testing_support
