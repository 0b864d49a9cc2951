// Lists of which there are very many and most are short.
#pragma once

#include <utility>
#include <vector>

namespace wirehall {

/// Appends, and grows by a quarter where the library's vector doubles: a list of five has room for five.
/// Cost:     amortised O(1), with more moves than push_back().
template <class T>
void append_sparingly(std::vector<T>& list, T value) {
  if (list.size() == list.capacity()) list.reserve(list.size() + list.size() / 4 + 1);
  list.push_back(std::move(value));
}

}  // namespace wirehall
