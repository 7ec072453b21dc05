// What every page does once it is there. Each part works alone; without scripts the pages still work.
import { start as startCharts } from "./charts.js";
import { start as startForms } from "./forms.js";
import { start as startKeys } from "./keys.js";
import { start as startLog } from "./log.js";
import { start as startLive } from "./live.js";
import { start as startPreview } from "./preview.js";
import { start as startTheme } from "./theme.js";
import { start as startTimes } from "./times.js";

startTimes();
startTheme();
startForms();
startKeys();
startCharts();
startLive();
startLog();
startPreview();
