// Notifications while this page is closed (Web Push): of private messages and missed calls.
import { button, element } from './dom.js';

// The server's public key; `wirehall vapid` makes a pair. With another one all subscriptions are lost.
const PUBLIC_KEY = '@VAPID_PUBLIC_KEY@';

export function addPush(page) {
  const { connection } = page;
  const panel = page.panel('push', 'Notifications');
  const state = element('p', { class: 'soft', role: 'status' }, 'Off');
  const turnOn = button('Turn on', () => page.attempt(subscribe()));
  const turnOff = button('Turn off', () => page.attempt(unsubscribe()), { hidden: true });
  panel.append(state, turnOn, turnOff);

  async function subscribe() {
    if (PUBLIC_KEY === '') throw new Error('The server has no key for push: make a pair with "wirehall vapid"');
    if (!globalThis.PushManager || !navigator.serviceWorker) throw new Error('This browser has no push, or the page no https');
    if (await Notification.requestPermission() !== 'granted') throw new Error('The browser does not allow notifications');
    await navigator.serviceWorker.register('/push_worker.js');
    const { pushManager } = await navigator.serviceWorker.ready;
    const subscription = await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: PUBLIC_KEY });
    await connection.emit('push-subscribe', { subscription: subscription.toJSON() });
    show(true);
  }

  async function unsubscribe() {
    const { pushManager } = await navigator.serviceWorker.ready;
    const subscription = await pushManager.getSubscription();
    if (subscription) {
      await connection.emit('push-unsubscribe', { subscription: subscription.toJSON() });
      await subscription.unsubscribe();
    }
    show(false);
  }

  function show(isOn) {
    state.textContent = isOn ? 'On: you are told when this page is closed' : 'Off';
    turnOn.hidden = isOn;
    turnOff.hidden = !isOn;
  }

  // Browsers renew subscriptions, so the server is told at every start; the same one changes nothing.
  connection.onState(async (now) => {
    if (now !== 'connected' || !navigator.serviceWorker) return;
    const registration = await navigator.serviceWorker.getRegistration();
    const subscription = await registration?.pushManager.getSubscription();
    if (!subscription) return;
    if (await page.attempt(connection.emit('push-subscribe', { subscription: subscription.toJSON() }))) show(true);
  });
}
