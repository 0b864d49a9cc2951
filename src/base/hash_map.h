// Hash maps keyed by text that peers choose: the hash is keyed with a secret of the process, so that nobody
// can make keys collide on purpose. Iteration order must never decide what goes on the wire.
#pragma once

#include <boost/unordered/unordered_flat_set.hpp>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace wirehall {

/// Sets the secret; called once at start-up, before the first map exists. Without a call the secret is
/// fixed, which tests and the simulator use.
void seed_hash(std::string_view secret);

std::uint64_t keyed_hash(std::string_view text);

struct KeyedHash {
  using is_transparent = void;
  using is_avalanching = void;  ///< for Boost: all bits of the result are as good
  std::size_t operator()(std::string_view text) const { return static_cast<std::size_t>(keyed_hash(text)); }
};

template <class V>
using TextMap = std::unordered_map<std::string, V, KeyedHash, std::equal_to<>>;
using TextSet = std::unordered_set<std::string, KeyedHash, std::equal_to<>>;

/// Objects found by a text that they hold themselves, `NameOf{}(object)`: a pointer and a byte for each, where a
/// map would keep the text a second time.
///
/// Lifetime: the text of an object does not change while it is in here.
template <class T, class NameOf>
class NamedPointers {
 public:
  /// Returns: the object of that name, or nullptr.
  T* find(std::string_view name) const {
    const auto found = table_.find(name);
    return found == table_.end() ? nullptr : *found;
  }
  /// Requires: none of its name is there.
  void add(T& object) { table_.insert(&object); }
  /// Returns: whether the one of that name was there.
  bool remove(std::string_view name) { return table_.erase(name) != 0; }
  std::size_t size() const { return table_.size(); }
  bool empty() const { return table_.empty(); }
  // In no particular order.
  auto begin() const { return table_.begin(); }
  auto end() const { return table_.end(); }

 private:
  struct Hash : KeyedHash {
    using KeyedHash::operator();
    std::size_t operator()(const T* object) const { return (*this)(std::string_view(NameOf{}(*object))); }
  };
  struct Equal {
    using is_transparent = void;
    static std::string_view name(std::string_view text) { return text; }
    static std::string_view name(const T* object) { return NameOf{}(*object); }
    template <class A, class B>
    bool operator()(const A& a, const B& b) const {
      return name(a) == name(b);
    }
  };
  boost::unordered_flat_set<T*, Hash, Equal> table_;
};

/// Objects in a row, which are also found by a text that they hold themselves: about 18 bytes for each, the row's eight
/// among them. `Traits::name_of(object)` is the text, `Traits::place_of(object)` a std::uint32_t in which the object
/// keeps its place in the row.
///
/// Lifetime: neither of them is changed by others while the object is in here.
template <class T, class Traits>
class NamedRow {
 public:
  NamedRow() = default;
  NamedRow(const NamedRow&) = delete;  // the table looks names up in the row
  NamedRow& operator=(const NamedRow&) = delete;

  /// In the order of arrival, but for the last, which takes the place of one that left.
  const std::vector<T*>& row() const { return row_; }
  /// Returns: the object of that name, or nullptr.
  T* find(std::string_view name) const {
    const auto found = places_.find(name);
    return found == places_.end() ? nullptr : row_[found->index];
  }
  /// Requires: none of its name is there; there are fewer than 2^32.
  void add(T& object) {
    const auto index = static_cast<std::uint32_t>(row_.size());
    row_.push_back(&object);
    Traits::place_of(object) = index;
    places_.insert(Place{index});
  }
  /// Requires: it is there.
  void remove(T& object) {
    places_.erase(places_.find(Traits::name_of(object)));
    const std::uint32_t index = Traits::place_of(object);
    T* last = row_.back();
    if (last != &object) {
      places_.find(Traits::name_of(*last))->index = index;
      Traits::place_of(*last) = index;
      row_[index] = last;
    }
    row_.pop_back();
  }

 private:
  struct Place {
    mutable std::uint32_t index;  // in the row; what a place is found by, the name there, stays the same
  };
  struct Hash : KeyedHash {
    using KeyedHash::operator();
    std::size_t operator()(Place place) const {
      return (*this)(std::string_view(Traits::name_of(*(*row)[place.index])));
    }
    const std::vector<T*>* row;
  };
  struct Equal {
    using is_transparent = void;
    bool operator()(Place a, Place b) const { return a.index == b.index; }
    bool operator()(Place a, std::string_view b) const { return Traits::name_of(*(*row)[a.index]) == b; }
    bool operator()(std::string_view a, Place b) const { return (*this)(b, a); }
    const std::vector<T*>* row;
  };
  std::vector<T*> row_;
  boost::unordered_flat_set<Place, Hash, Equal> places_{0, Hash{{}, &row_}, Equal{&row_}};
};

}  // namespace wirehall
