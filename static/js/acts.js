// A form whose buttons name addresses of their own: htmx sends to that of the one that was pressed.
document.addEventListener("htmx:config:request", ({ detail: { ctx } }) => {
  const { submitter } = ctx.request;
  if (submitter?.hasAttribute("formaction")) ctx.request.action = submitter.formAction;
});
