/** Every address of the console. A page's code is loaded when someone goes there. */
import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  redirect,
} from "@tanstack/react-router";

import { draftSearch } from "../pages/drafts/search";
import { overviewSearch } from "../pages/overview/search";
import { Layout } from "./Layout";
import { NotFound, PageFailed } from "./PageFailed";

const root = createRootRoute({ component: Layout, notFoundComponent: NotFound });

const home = createRoute({
  getParentRoute: () => root,
  path: "/",
  beforeLoad: () => redirect({ to: "/drafts", throw: true }),
});

const drafts = createRoute({
  getParentRoute: () => root,
  path: "/drafts",
  validateSearch: draftSearch,
  component: lazyRouteComponent(() => import("../pages/drafts/DraftList"), "DraftList"),
});

const draft = createRoute({
  getParentRoute: () => root,
  path: "/drafts/$draftId",
  component: lazyRouteComponent(() => import("../pages/draft/DraftDetail"), "DraftDetail"),
});

const connections = createRoute({
  getParentRoute: () => root,
  path: "/connections",
  component: lazyRouteComponent(
    () => import("../pages/connections/ConnectionList"),
    "ConnectionList",
  ),
});

const newConnection = createRoute({
  getParentRoute: () => root,
  path: "/connections/new",
  component: lazyRouteComponent(
    () => import("../pages/connections/NewConnection"),
    "NewConnection",
  ),
});

const connection = createRoute({
  getParentRoute: () => root,
  path: "/connections/$connectionId",
  component: lazyRouteComponent(
    () => import("../pages/connections/ConnectionDetail"),
    "ConnectionDetail",
  ),
});

const changeConnection = createRoute({
  getParentRoute: () => root,
  path: "/connections/$connectionId/change",
  component: lazyRouteComponent(
    () => import("../pages/connections/ChangeConnection"),
    "ChangeConnection",
  ),
});

const overview = createRoute({
  getParentRoute: () => root,
  path: "/overview",
  validateSearch: overviewSearch,
  component: lazyRouteComponent(() => import("../pages/overview/Overview"), "Overview"),
});

export const router = createRouter({
  routeTree: root.addChildren([
    home,
    drafts,
    draft,
    connections,
    newConnection,
    connection,
    changeConnection,
    overview,
  ]),
  basepath: "/console",
  defaultErrorComponent: PageFailed,
  defaultPreload: "intent",
  scrollRestoration: true,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
