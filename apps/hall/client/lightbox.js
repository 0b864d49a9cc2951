// A picture, as large as the window allows.
import { button, element, iconButton } from './dom.js';
import { icon } from './icons.js';
import { sizeOf } from './text.js';

export async function look(file, files, failed) {
  const image = element('img', { alt: file.name });
  try {
    image.src = await files.copy(file);
  } catch (error) {
    return failed(error);
  }
  const save = button(icon('download'), () => files.download(file).catch(failed));
  save.append('Download');
  const title = element('p', {}, element('bdi', { class: 'name' }, file.name),
    element('span', { class: 'soft' }, sizeOf(file.size)));
  const close = iconButton('close', 'Close', () => dialog.close());
  const dialog = element('dialog', { class: 'lightbox', 'aria-label': file.name },
    element('header', {}, title, save, close), image);
  dialog.addEventListener('close', () => dialog.remove());
  dialog.addEventListener('click', (event) => { if (event.target === dialog) dialog.close(); });
  document.body.append(dialog);
  dialog.showModal();
}
