"""Belt and sheet along the press by finite elements: steady advection and conduction in the plane.

    rho c v . grad T = div(k grad T)

on the upper half of a symmetric press, z from the middle plane. The sheet of half thickness h(x)/2 moves with the
belt and thins as it goes, so its velocity is v (1, z h'/h); sideways spreading carries its own temperature and
drops out. Sheet and belt are two meshes with a contact conductance between them, the belt has plates by h_z
on its other side. Bilinear elements, streamline-upwind (SUPG); properties of the sheet follow its temperature
by Picard iteration. With `axial` 0 the conduction along the press is left out and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import bmat, coo_matrix
from skfem import Basis, BilinearForm, ElementQuad1, FacetBasis, LinearForm, MeshQuad, solve

from tests.oracles.parameters import Floats, Gel, Rollers, Tables

Along = Callable[[Floats], Floats]

STEEL_CONDUCTIVITY = 16.0  # W/(m K), stainless; the machine file has none, the model lumps the belt


@dataclass(frozen=True)
class Field:
    """Temperatures in K over the stations x [stations]: sheet [stations, rows] from the middle out, belt likewise."""

    x: Floats
    sheet: Floats
    belt: Floats

    @property
    def core(self) -> Floats:
        """Middle plane."""
        return np.asarray(self.sheet[:, 0])

    @property
    def mean(self) -> Floats:
        """Over the thickness."""
        return np.asarray(0.5 * self.sheet[:, 0] + self.sheet[:, 1:-1].sum(axis=1) + 0.5 * self.sheet[:, -1]) / (
            self.sheet.shape[1] - 1
        )


def solve_plane(
    tables: Tables,
    gel: Gel,
    thickness: Along,
    conductance: Along,
    plate: Along,
    inlet: tuple[float, float],
    speed: float,
    axial: float = 1.0,
    stations: int = 1400,
    rows: int = 14,
    picard: int = 12,
) -> Field:
    """The field; inlet temperatures of sheet and belt in K, plate temperature NaN where there is none."""
    r, belts = Rollers.of(tables), tables["belts"]
    x = np.linspace(0.0, r.length, stations)
    d = belts["thickness_mm"] * 1e-3
    sheet_mesh = MeshQuad.init_tensor(x, np.linspace(0.0, 1.0, rows + 1))
    height = 0.5 * thickness(sheet_mesh.p[0])
    slope_of = np.gradient(0.5 * thickness(x), x)
    sheet_mesh = MeshQuad(np.stack([sheet_mesh.p[0], sheet_mesh.p[1] * height]), sheet_mesh.t)
    belt_mesh = MeshQuad.init_tensor(x, np.linspace(0.0, d, 4))
    sheet, belt = Basis(sheet_mesh, ElementQuad1()), Basis(belt_mesh, ElementQuad1())
    dx = x[1] - x[0]

    @BilinearForm
    def transport(u: Any, v: Any, w: Any) -> Any:
        stream = w.rho_c * speed * (u.grad[0] + w.tilt * u.grad[1])
        test = speed * (v.grad[0] + w.tilt * v.grad[1])
        upwind = 0.5 * dx / speed  # tau of SUPG, advection rules
        return stream * (v + upwind * test) + w.k * (axial * u.grad[0] * v.grad[0] + u.grad[1] * v.grad[1])

    @BilinearForm
    def face(u: Any, v: Any, w: Any) -> Any:
        return w.h * u * v

    @LinearForm
    def face_load(v: Any, w: Any) -> Any:
        return w.h * w.T * v

    top = _rows(sheet_mesh, x, upper=True)
    bottom = _rows(belt_mesh, x, upper=False)
    skin = FacetBasis(belt_mesh, ElementQuad1(), facets=belt_mesh.facets_satisfying(lambda q: q[1] > d - 1e-9))
    inner = FacetBasis(belt_mesh, ElementQuad1(), facets=belt_mesh.facets_satisfying(lambda q: q[1] < 1e-9))
    at_skin = skin.global_coordinates()[0]
    has_plate = at_skin > r.entry
    h_out = np.where(has_plate, belts["plate_conductance_w_m2k"], belts["return_loss_w_m2k"])
    T_out = np.where(has_plate, plate(at_skin), r.ambient)
    M = face.assemble(inner, h=conductance(inner.global_coordinates()[0]))[bottom][:, bottom]
    steel = np.full(belt.global_coordinates()[0].shape, belts["density_kg_m3"] * belts["heat_capacity_j_kgk"])
    A_belt = transport.assemble(
        belt, rho_c=steel, k=np.full(steel.shape, STEEL_CONDUCTIVITY), tilt=np.zeros(steel.shape)
    )
    A_belt = (A_belt + face.assemble(skin, h=h_out)).tolil()
    b_belt = face_load.assemble(skin, h=h_out, T=T_out)
    A_belt[np.ix_(bottom, bottom)] = A_belt[np.ix_(bottom, bottom)] + M
    place = sheet.global_coordinates()
    half = 0.5 * thickness(place[0].ravel()).reshape(place[0].shape)
    tilt = place[1] * np.interp(place[0], x, slope_of) / half
    shape = (sheet.N, belt.N)
    T = np.full(sum(shape), inlet[0])
    T[sheet.N :] = inlet[1]
    fixed = np.concatenate([np.flatnonzero(sheet_mesh.p[0] < 1e-12), sheet.N + np.flatnonzero(belt_mesh.p[0] < 1e-12)])
    cross = _spread(M, top, bottom, shape)
    for _ in range(picard):
        now = sheet.interpolate(T[: sheet.N])
        local = np.asarray(now)
        A_sheet = transport.assemble(
            sheet, rho_c=gel.density(local) * gel.heat_capacity(local), k=gel.conductivity(local), tilt=tilt
        ).tolil()
        A_sheet[np.ix_(top, top)] = A_sheet[np.ix_(top, top)] + M
        A = bmat([[A_sheet, -cross], [-cross.T, A_belt]]).tocsr()
        b = np.concatenate([np.zeros(sheet.N), b_belt])
        free = np.setdiff1d(np.arange(T.size), fixed)
        new = T.copy()
        new[free] = solve(A[free][:, free], b[free] - A[free][:, fixed] @ T[fixed])
        moved = float(np.abs(new - T).max())
        T = new
        if moved < 1e-4:
            break
    return Field(x, _columns(sheet_mesh, T[: sheet.N], stations), _columns(belt_mesh, T[sheet.N :], stations))


def _rows(mesh: Any, x: Floats, upper: bool) -> Any:
    """Degrees of freedom of the upper or lower side, along x."""
    order = np.lexsort((mesh.p[1], mesh.p[0])).reshape(x.size, -1)
    return order[:, -1 if upper else 0]


def _columns(mesh: Any, T: Floats, stations: int) -> Floats:
    order = np.lexsort((mesh.p[1], np.round(mesh.p[0], 9))).reshape(stations, -1)
    return T[order]


def _spread(M: Any, rows: Any, columns: Any, shape: tuple[int, int]) -> Any:
    """The interface matrix at its places in a matrix of the whole."""
    small = M.tocoo()
    return coo_matrix((small.data, (rows[small.row], columns[small.col])), shape=shape).tocsr()
