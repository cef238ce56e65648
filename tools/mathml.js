// TeX to MathML by MathJax, without a browser:  node mathml.js TEX-SVG-FULL.JS < formulas
// Formulas come as JSON, [[tex, display], ...], and go as a JSON list of MathML.
//
// That MathJax is made for a page and looks around in it as it starts. It finds an empty one here: only its reading of
// TeX is used, which touches no page.
class Nothing {
  attributes = [];
  childNodes = [];
  classList = { add() {}, remove() {} };
  style = {};
  addEventListener() {}
  appendChild(child) {
    return child;
  }
  createElement() {
    return new Nothing();
  }
  createElementNS() {
    return new Nothing();
  }
  createTextNode() {
    return new Nothing();
  }
  getAttribute() {
    return null;
  }
  getElementById() {
    return null;
  }
  getElementsByTagName() {
    return [];
  }
  hasAttribute() {
    return false;
  }
  querySelector() {
    return null;
  }
  querySelectorAll() {
    return [];
  }
  setAttribute() {}
}

const page = Object.assign(new Nothing(), { body: new Nothing(), documentElement: new Nothing(), head: new Nothing() });

Object.assign(globalThis, {
  DOMParser: class {
    parseFromString() {
      return page;
    }
  },
  Document: Nothing,
  DocumentFragment: class {},
  HTMLCollection: class {},
  HTMLElement: class {},
  NodeList: class {},
  XMLSerializer: class {},
  document: page,
  localStorage: { getItem: () => null },
  window: globalThis,
  MathJax: {
    options: { enableAssistiveMml: false, enableMenu: false },
    startup: { typeset: false },
    tex: { packages: { "[-]": ["noundefined", "noerrors"] } },
  },
});

require(process.argv[2]);

MathJax.startup.promise.then(() => {
  const formulas = JSON.parse(require("fs").readFileSync(0, "utf8"));
  process.stdout.write(JSON.stringify(formulas.map(([tex, display]) => MathJax.tex2mml(tex, { display }))));
});
