// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstring>
#include <new>
#include <type_traits>
#include <utility>

namespace wse::fabric {

/// A large array of zeros from the operating system, in huge pages where it has them: for state that
/// is touched all over, where page by page costs more than the work. Pages that are never touched
/// take no memory.
template <class T>
class PageArray {
  static_assert(std::is_trivially_destructible_v<T>, "elements are never destroyed");

 public:
  PageArray() = default;
  explicit PageArray(std::size_t size) : size_(size) {
    if (size == 0) return;
    // A huge page more than needed, so that the array can begin at one.
    mapped_ = size * sizeof(T) + kHugePage;
    map_ = ::mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map_ == MAP_FAILED) throw std::bad_alloc();
    const auto address = reinterpret_cast<std::size_t>(map_);
    void* begin = reinterpret_cast<void*>((address + kHugePage - 1) / kHugePage * kHugePage);
    if (size * sizeof(T) >= kHugePage) (void)::madvise(begin, size * sizeof(T), MADV_HUGEPAGE);
    data_ = static_cast<T*>(begin);
  }
  PageArray(const PageArray& that) : PageArray(that.size_) {
    static_assert(std::is_trivially_copyable_v<T>, "elements are copied as bytes");
    if (size_ != 0) std::memcpy(data_, that.data_, bytes());
  }
  PageArray& operator=(const PageArray& that) { return *this = PageArray(that); }
  PageArray(PageArray&& that) noexcept { *this = std::move(that); }
  PageArray& operator=(PageArray&& that) noexcept {
    std::swap(map_, that.map_);
    std::swap(mapped_, that.mapped_);
    std::swap(data_, that.data_);
    std::swap(size_, that.size_);
    return *this;
  }
  ~PageArray() {
    if (map_ != nullptr) ::munmap(map_, mapped_);
  }

  T* data() { return data_; }
  const T* data() const { return data_; }
  std::size_t size() const { return size_; }
  std::size_t bytes() const { return size_ * sizeof(T); }
  T& operator[](std::size_t i) { return data_[i]; }
  const T& operator[](std::size_t i) const { return data_[i]; }
  T* begin() { return data_; }
  T* end() { return data_ + size_; }

 private:
  static constexpr std::size_t kHugePage = std::size_t{1} << 21;
  void* map_ = nullptr;
  std::size_t mapped_ = 0;
  T* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace wse::fabric
