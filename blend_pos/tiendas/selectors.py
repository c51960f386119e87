"""What PostgreSQL says about who may come in."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db.models import Q
from django.utils.crypto import constant_time_compare

from blend_pos.tiendas.access import Access, AccessKind, TiendaAccess
from blend_pos.tiendas.access_cache import digest_name, session_name, tienda_scope, usuario_scope
from blend_pos.tiendas.models import ROLE_ORDER, SONDA_ID, Membresia, Rol, Terminal, Tienda, TokenTerminal


@dataclass(frozen=True, slots=True)
class AccessRecord:
    """An access, and the scopes whose change ends it."""

    access: Access
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Membership:
    rol: str
    tienda: Tienda


Memberships = Mapping[int, list[_Membership]]
Terminals = Mapping[UUID, list[Terminal]]


def read_access(*, name: str, now: datetime) -> AccessRecord | None:
    """What this token or session opens at `now`; None: nothing."""
    return read_accesses(names=[name], now=now).get(name)


def read_accesses(*, names: Collection[str], now: datetime) -> dict[str, AccessRecord]:
    """The same for many; a name that opens nothing is left out. Five queries, however many names, and for tokens no
    more of a person's tiendas than theirs: somebody may have hundreds."""
    tokens = _live_tokens([digest for kind, _, digest in map(_split, names) if kind == AccessKind.TOKEN], now)
    sessions = _live_sessions([key for kind, _, key in map(_split, names) if kind == AccessKind.SESSION], now)
    signed_in = {usuario_id for _, usuario_id in sessions}
    users = _active_users({token.user_id for token in tokens} | signed_in)
    in_tiendas = {token.terminal.tienda_id for token in tokens}
    memberships = _memberships(everywhere=users.keys() & signed_in, users=users, in_tiendas=in_tiendas)
    terminals = _active_terminals([own for usuario_id in signed_in for own in memberships.get(usuario_id, ())])
    records = {}
    for token in tokens:
        record = _token_record(token, users, memberships)
        if record:
            records[digest_name(token.digest)] = record
    for session, usuario_id in sessions:
        user = users.get(usuario_id)
        if user and _is_signed_by(session, user):
            records[session_name(session.session_key)] = _session_record(session, user, memberships, terminals)
    return records


def roles_of(*, usuario: User) -> dict[UUID, str]:
    """A person's role in each of their tiendas, the closed ones too."""
    return dict(usuario.membresias.values_list("tienda_id", "rol"))


def workplaces(*, usuario: User) -> list[dict[str, Any]]:
    """The active tiendas that a person may work in, as SessionSerializer shows them: by name. Two queries."""
    members = Membresia.objects.filter(usuario=usuario, tienda__is_active=True).select_related("tienda")
    rows = list(members.order_by("tienda__nombre", "tienda"))
    terminals: dict[UUID, list[Terminal]] = defaultdict(list)
    for terminal in Terminal.objects.filter(tienda__in=[row.tienda_id for row in rows], is_active=True):
        terminals[terminal.tienda_id].append(terminal)
    return [
        {
            "id": row.tienda.pk,
            "nombre": row.tienda.nombre,
            "rol": row.rol,
            "moneda": row.tienda.moneda,
            "zona_horaria": row.tienda.zona_horaria,
            "configuracion_regional": row.tienda.configuracion_regional,
            "encabezado_recibo": row.tienda.encabezado_recibo,
            "pie_recibo": row.tienda.pie_recibo,
            "codigos_balanza": row.tienda.codigos_balanza.split(),
            "terminales": [
                {"id": terminal.pk, "numero": terminal.numero, "nombre": terminal.nombre}
                for terminal in sorted(terminals[row.tienda_id], key=lambda terminal: terminal.numero)
            ],
        }
        for row in rows
    ]


def _split(name: str) -> tuple[str, str, str]:
    return name.partition(":")


def _live_tokens(digests: Collection[str], now: datetime) -> list[TokenTerminal]:
    if not digests:
        return []
    unexpired = Q(expiry__isnull=True) | Q(expiry__gt=now)
    tokens = TokenTerminal.objects.filter(unexpired, digest__in=digests, terminal__is_active=True)
    return list(tokens.select_related("terminal__tienda", "user"))


def _live_sessions(keys: Collection[str], now: datetime) -> list[tuple[Session, int]]:
    """The sessions somebody has signed in with, and who. Read from the table: the copy in Redis may be older."""
    if not keys:
        return []
    sessions = []
    for session in Session.objects.filter(session_key__in=keys, expire_date__gt=now):
        data = session.get_decoded()
        if SESSION_KEY in data and data.get(BACKEND_SESSION_KEY) in settings.AUTHENTICATION_BACKENDS:
            sessions.append((session, int(data[SESSION_KEY])))
    return sessions


def _active_users(ids: Collection[int]) -> dict[int, User]:
    return {user.pk: user for user in User.objects.filter(pk__in=ids, is_active=True)} if ids else {}


def _memberships(
    *, everywhere: Collection[int], users: Collection[int], in_tiendas: Collection[UUID]
) -> dict[int, list[_Membership]]:
    """Those of some people in every tienda, those of others in some. Of closed tiendas too: whether a tienda is open
    is part of what may change."""
    found: dict[int, list[_Membership]] = defaultdict(list)
    if users:
        wanted = Q(usuario__in=everywhere) | Q(usuario__in=users, tienda__in=in_tiendas)
        for membresia in Membresia.objects.filter(wanted).select_related("tienda").order_by("id"):
            found[membresia.usuario_id].append(_Membership(rol=membresia.rol, tienda=membresia.tienda))
    return found


def _active_terminals(memberships: Collection[_Membership]) -> Terminals:
    found: dict[UUID, list[Terminal]] = defaultdict(list)
    tienda_ids = {membership.tienda.pk for membership in memberships}
    if tienda_ids:
        for terminal in Terminal.objects.filter(tienda__in=tienda_ids, is_active=True).order_by("numero"):
            found[terminal.tienda_id].append(terminal)
    return found


def _is_signed_by(session: Session, user: User) -> bool:
    """Whether the session was opened with the password that the person has now."""
    signature = session.get_decoded().get(HASH_SESSION_KEY, "")
    hashes = [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]
    return any(constant_time_compare(signature, each) for each in hashes)


def _token_record(token: TokenTerminal, users: Mapping[int, User], memberships: Memberships) -> AccessRecord | None:
    """A token opens its own terminal, in its own role or its person's where that is the lower one."""
    if token.terminal.tienda_id == SONDA_ID:
        return _probe_record(token)
    user = users.get(token.user_id)
    tienda_id = token.terminal.tienda_id
    own = [membership for membership in memberships.get(token.user_id, ()) if membership.tienda.pk == tienda_id]
    if user is None or not own or not own[0].tienda.is_active:
        return None
    access = Access(
        kind=AccessKind.TOKEN,
        usuario_id=user.pk,
        username=user.get_username(),
        expires_at_s=token.expiry.timestamp() if token.expiry else None,
        tiendas={
            str(tienda_id): _tienda_access(
                own[0].tienda, rol=min(token.rol, own[0].rol, key=ROLE_ORDER.__getitem__), terminales=[token.terminal]
            )
        },
    )
    return AccessRecord(access=access, scopes=frozenset({usuario_scope(user.pk), tienda_scope(tienda_id)}))


def _probe_record(token: TokenTerminal) -> AccessRecord | None:
    """The probe is closed and has no members; what golive_check has made opens it, for as long as that says."""
    if token.expiry is None:
        return None
    access = Access(
        kind=AccessKind.TOKEN,
        usuario_id=token.user.pk,
        username=token.user.get_username(),
        expires_at_s=token.expiry.timestamp(),
        tiendas={str(SONDA_ID): _tienda_access(token.terminal.tienda, rol=Rol.CAJERO, terminales=[token.terminal])},
    )
    return AccessRecord(access=access, scopes=frozenset({usuario_scope(token.user.pk), tienda_scope(SONDA_ID)}))


def _session_record(session: Session, user: User, memberships: Memberships, terminals: Terminals) -> AccessRecord:
    own = memberships.get(user.pk, [])
    access = Access(
        kind=AccessKind.SESSION,
        usuario_id=user.pk,
        username=user.get_username(),
        expires_at_s=session.expire_date.timestamp(),
        tiendas={
            str(membership.tienda.pk): _tienda_access(
                membership.tienda, rol=membership.rol, terminales=terminals.get(membership.tienda.pk, [])
            )
            for membership in own
            if membership.tienda.is_active
        },
    )
    scopes = {usuario_scope(user.pk), *(tienda_scope(membership.tienda.pk) for membership in own)}
    return AccessRecord(access=access, scopes=frozenset(scopes))


def _tienda_access(tienda: Tienda, *, rol: str, terminales: Collection[Terminal]) -> TiendaAccess:
    return TiendaAccess(
        nombre=tienda.nombre,
        rol=rol,
        zona_horaria=tienda.zona_horaria,
        terminales=tuple((str(terminal.pk), terminal.numero) for terminal in terminales),
    )
