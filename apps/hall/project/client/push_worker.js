// Runs in the browser while no page is open: shows what the server pushes.

self.addEventListener('push', (event) => {
  const { type, message, call } = event.data.json();
  const [title, body] = type === 'call-missed' ? [call.fromUserId, 'has called']
    : [message.fromUser?.name ?? message.fromUserId, message.content];
  // One notification a sender: a newer one takes the place of the older.
  event.waitUntil(self.registration.showNotification(title, { body, tag: (message ?? call).fromUserId }));
});

self.addEventListener('notificationclick', (event) => {
  event.notification.close();
  event.waitUntil(openPage());
});

async function openPage() {
  const [page] = await self.clients.matchAll({ type: 'window', includeUncontrolled: true });
  return page ? page.focus() : self.clients.openWindow('/');
}
