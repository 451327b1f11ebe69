(() => {
  const list = document.getElementById("cards");
  const cards = [...list.children].map((element) => ({
    element,
    text: element.textContent.toLowerCase(),
    rank: Number(element.dataset.rank),
    score: element.dataset.score === "" ? null : Number(element.dataset.score),
    classes: JSON.parse(element.dataset.classes),
  }));
  const find = document.getElementById("find");
  const kind = document.getElementById("class");
  const sort = document.getElementById("sort");
  const last = (a, b) => (a === null) - (b === null);
  const orders = {
    rank: () => 0,
    score: (a, b) => last(a.score, b.score) || a.score - b.score,
    "-score": (a, b) => last(a.score, b.score) || b.score - a.score,
    class: (a, b) => (a.classes[0] || "\uffff").localeCompare(b.classes[0] || "\uffff"),
  };
  const filter = () => {
    const words = find.value.toLowerCase().trim();
    const wanted = kind ? kind.value : "";
    let n = 0;
    for (const card of cards) {
      const kept = card.text.includes(words) && (!wanted || card.classes.includes(wanted));
      card.element.hidden = !kept;
      n += kept;
    }
    document.getElementById("shown").textContent = n === cards.length ? list.dataset.all : `${n} of ${cards.length} shown`;
  };
  const order = () => {
    cards.sort((a, b) => orders[sort.value](a, b) || a.rank - b.rank);
    list.append(...cards.map((card) => card.element));
  };
  find.addEventListener("input", filter);
  if (kind) kind.addEventListener("change", filter);
  sort.addEventListener("change", order);
  document.getElementById("controls").hidden = false;
  filter();
})();
