// What a server gives to browsers besides the protocols: an application's own pages, tokens for those who
// develop them; and what it says on a terminal when it has started.
#pragma once

#include <string>
#include <string_view>

#include "server/composition.h"

namespace wirehall {
class Server;
}

namespace wirehall::server {

/// By the name's ending; application/octet-stream for what is not known.
std::string_view content_type_of(std::string_view name);

/// See Server::serve_directory().
void serve_directory(Composition& composition, std::string folder);

/// See Server::serve_dev_tokens().
void serve_dev_tokens(Composition& composition);

/// Prints the addresses of a server that has started.
void announce(Server& io);

}  // namespace wirehall::server
