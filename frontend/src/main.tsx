/** Starts the console: language and theme first, so that nothing flickers. */
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { App } from "./app/App";
import { startI18n } from "./i18n/i18n";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/controls.css";
import { startTheme } from "./theme/theme";

startTheme();
await startI18n();

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no #root");
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
