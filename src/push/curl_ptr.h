// Owning pointers to libcurl's objects.
#pragma once

#include <curl/curl.h>

#include <memory>

namespace wirehall::push {

template <auto kFree>
struct CurlFree {
  template <class T>
  void operator()(T* object) const {
    kFree(object);
  }
};

using CurlPtr = std::unique_ptr<CURL, CurlFree<curl_easy_cleanup>>;
using CurlMultiPtr = std::unique_ptr<CURLM, CurlFree<curl_multi_cleanup>>;
using CurlUrlPtr = std::unique_ptr<CURLU, CurlFree<curl_url_cleanup>>;
using CurlTextPtr = std::unique_ptr<char, CurlFree<curl_free>>;
using CurlListPtr = std::unique_ptr<curl_slist, CurlFree<curl_slist_free_all>>;

}  // namespace wirehall::push
