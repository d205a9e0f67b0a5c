import { colours } from '../plots/theme.js';

const light = Object.entries(colours)
  .map(([name, colour]) => `--${name}:${colour};`)
  .join('');

/** The page's look; dark where the reader's system is dark. */
export const style = `
:root{color-scheme:light dark;${light}--page:#f5f6f8;--soft:#eef1f6;--shade:0 1px 2px rgb(16 24 40/.06),0 1px 3px rgb(16 24 40/.1);
--border-fill:#eef1f6;--synapse-fill:#e3edfd;--norm-fill:#f0eafa;--neuron-fill:#fdecdc;--join-fill:#fbe4e7;--shape-fill:#e1f4ec;--said-green:#127a4b;--said-red:#b3262e;--said-orange:#8a5a00;--said-blue:#2457c5}
@media(prefers-color-scheme:dark){:root{--paper:#171b24;--ink:#e6e9f0;--faint:#98a2b3;--grid:#2c3342;--quiet:#4c566a;--blue:#6ea1ff;--orange:#f0a055;
--green:#53c79a;--purple:#b08cf0;--red:#f0717f;--page:#0f1218;--soft:#202633;--shade:none;
--border-fill:#232a38;--synapse-fill:#1b2f52;--norm-fill:#30254a;--neuron-fill:#4a3018;--join-fill:#4a2229;--shape-fill:#173a2d;--said-green:#5fd39f;--said-red:#f58a92;--said-orange:#e7b65c;--said-blue:#7ba6ff}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:15px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
header{padding:26px 28px 12px;max-width:1280px;margin:auto}
h1{font-size:24px;line-height:1.25;margin:0;overflow-wrap:anywhere}
header p{margin:4px 0 0;color:var(--faint);overflow-wrap:anywhere}
nav{position:sticky;top:0;z-index:5;background:var(--page);border-bottom:1px solid var(--grid)}
nav>div{max-width:1280px;margin:auto;padding:8px 28px;display:flex;flex-wrap:wrap;gap:4px 16px;align-items:center}
nav a{color:var(--faint);text-decoration:none}nav a:hover{color:var(--ink)}
.tabs{display:flex;flex-wrap:wrap;gap:4px;margin-right:12px}
button{font:inherit;color:var(--ink);background:var(--paper);border:1px solid var(--quiet);border-radius:7px;padding:3px 11px;cursor:pointer}
button:hover{background:var(--soft)}
.tabs button[aria-selected=true]{background:var(--blue);border-color:var(--blue);color:var(--paper)}
main{max-width:1280px;margin:auto;padding:16px 28px 60px}
section{background:var(--paper);border:1px solid var(--grid);border-radius:12px;box-shadow:var(--shade);padding:18px 22px;margin:0 0 18px;scroll-margin-top:64px}
h2{font-size:17px;margin:0 0 10px}h2 small{font-weight:normal;color:var(--faint);margin-left:8px}h3{font-size:14px;margin:18px 0 6px}
p{margin:0 0 10px;color:var(--faint)}
.scroll,.plot{overflow-x:auto}.plot svg{display:block;max-width:none}.plot text{font-family:inherit}.plot+.plot{margin-top:10px}
.plot image{image-rendering:pixelated}
table{border-collapse:collapse;font-size:13px;font-variant-numeric:tabular-nums}
th,td{padding:4px 12px 4px 0;text-align:left;white-space:nowrap;border-bottom:1px solid var(--grid)}
th{color:var(--faint);font-weight:500;white-space:normal;vertical-align:bottom}.n{text-align:right;padding-left:12px}tfoot td{font-weight:600;border-bottom:0}
summary{cursor:pointer;color:var(--faint);margin:8px 0}
.tiles{display:flex;flex-wrap:wrap;gap:10px 34px;margin:0}.tiles div{min-width:84px}.tiles dt{color:var(--faint);font-size:12.5px}.tiles dd{margin:0;font-size:17px;font-weight:600;font-variant-numeric:tabular-nums}
.notes{margin:10px 0 0;padding-left:20px;color:var(--faint)}
.tools{display:flex;flex-wrap:wrap;gap:8px;align-items:center;margin-bottom:10px}
input{font:inherit;color:var(--ink);background:var(--paper);border:1px solid var(--quiet);border-radius:7px;padding:3px 10px;width:200px}
.keys{display:flex;flex-wrap:wrap;gap:2px 14px;margin-left:6px;font-size:12.5px;color:var(--faint)}
.key i{display:inline-block;width:12px;height:12px;border-radius:3px;margin-right:5px;vertical-align:-1px;border:1px solid}
.key.line i{height:0;border-width:1.5px 0 0;width:18px;vertical-align:4px;border-color:var(--quiet);border-radius:0}.key.line.spikes i{border-color:var(--orange)}
.split{display:grid;grid-template-columns:minmax(0,1fr) 350px;gap:14px}
@media(max-width:900px){.split{grid-template-columns:1fr}}
.canvas{height:min(72vh,760px);border:1px solid var(--grid);border-radius:9px;overflow:hidden;cursor:grab;touch-action:none;background:var(--page)}
.canvas.moving{cursor:grabbing}.graph{width:100%;height:100%;display:block;user-select:none}
.details{height:min(72vh,760px);overflow:auto;border:1px solid var(--grid);border-radius:9px;padding:12px 14px;font-size:13px}
.details h3{font-size:15px;margin:0;overflow-wrap:anywhere}.details .kind{color:var(--faint);margin:0 0 8px}
.details h4{margin:12px 0 2px;font-size:12px;color:var(--faint);font-weight:600;text-transform:uppercase;letter-spacing:.04em}
.details dl{display:grid;grid-template-columns:auto minmax(0,1fr);gap:2px 12px;margin:0}.details dt{color:var(--faint)}.details dd{margin:0;overflow-wrap:anywhere;font-variant-numeric:tabular-nums}
pre{margin:4px 0 0;padding:9px 11px;background:var(--soft);border-radius:7px;white-space:pre-wrap;overflow-wrap:anywhere;font:12px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
.op{cursor:pointer}.op rect{stroke-width:1.2}.op text{pointer-events:none;fill:var(--ink);font-size:12.5px}.op .kind{fill:var(--faint);font-size:11px}.op .id{font-weight:600}
.op:focus{outline:none}.op:hover rect,.op:focus-visible rect{stroke-width:2.2}.op.chosen rect{stroke-width:3}.op.dim{opacity:.25}
.border rect{fill:var(--border-fill);stroke:var(--quiet)}.synapse rect{fill:var(--synapse-fill);stroke:var(--blue)}.norm rect{fill:var(--norm-fill);stroke:var(--purple)}
.neuron rect{fill:var(--neuron-fill);stroke:var(--orange)}.join rect{fill:var(--join-fill);stroke:var(--red)}.shape rect{fill:var(--shape-fill);stroke:var(--green)}
.key.border i{background:var(--border-fill);border-color:var(--quiet)}.key.synapse i{background:var(--synapse-fill);border-color:var(--blue)}.key.norm i{background:var(--norm-fill);border-color:var(--purple)}
.key.neuron i{background:var(--neuron-fill);border-color:var(--orange)}.key.join i{background:var(--join-fill);border-color:var(--red)}.key.shape i{background:var(--shape-fill);border-color:var(--green)}
.edge{fill:none;stroke:var(--quiet);stroke-width:1.5}.edge.spikes{stroke:var(--orange)}.tip{fill:var(--quiet)}.tip.spikes{fill:var(--orange)}
.diff h1{display:none}.diff section{border:0;box-shadow:none;padding:0;margin:14px 0 0;background:none}.diff h2{font-size:14px;margin:0 0 4px}
.diff .item{padding:4px 0;border-top:1px solid var(--grid)}.diff code,.diff pre{font:12.5px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;overflow-wrap:anywhere}
.diff .mark{display:inline-block;width:1.3em;font-weight:700}.diff .detail{color:var(--faint);margin-left:8px;font-size:13px}
.diff .added .mark,.diff ins{color:var(--said-green)}.diff .removed .mark,.diff del{color:var(--said-red)}.diff .changed .mark{color:var(--said-orange)}.diff .renamed .mark{color:var(--said-blue)}
.diff ins,.diff del{text-decoration:none}.diff pre ins,.diff pre del{display:block}
.diff dl{display:grid;grid-template-columns:minmax(90px,auto) minmax(0,1fr);gap:1px 14px;margin:3px 0 3px 1.4em}.diff dt{color:var(--faint);font-size:13px}.diff dd{margin:0}
.diff th,.diff td{text-align:right;padding-left:12px}.diff th:first-child,.diff td:first-child{text-align:left;padding-left:0}
[hidden]{display:none!important}
footer{max-width:1280px;margin:auto;padding:0 28px 30px;color:var(--faint);font-size:13px}
`;
