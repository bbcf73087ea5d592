"""Every address of the site, and what each of five people gets who asks for it: one table, read by test_addresses.

How to add an address
    1. Write one line into the module of its app in this folder (a new app: a new module, named in `MODULES`):
           Address("app:name", "get", of=an_object, access=owners(200))
       `name` is what reverse() takes; an address with several methods has a line for each. `access` says which status a
       visitor, another member, the owner, a reviewer and an administrator get: start from `anybody`, `members`,
       `owners`, `staff` and change single ones with `but`.
    2. `of` is called with the House (house.py) and returns the arguments of the address. It may make what it needs:
       everything is rolled back after each question. What it makes belongs to `house.owner`, and carries
       `house.SECRET` wherever its owner may write words: no stranger's page may show that word.
    3. `data` is what is posted; `visitors=True` asks all of it again of a visitor's own things, by `house.requester`.
    A page that strangers may open though it is about one thing (a shared link, a public gallery) says `told=True`.
    Models in Django's admin need one line in desk.py: what reviewers and administrators may do there.

What is tested: the status for each of the five; that strangers, with any method, change no row that was there before;
that no page of theirs holds a word or a number of the owner; that no address is missing here or stands here in vain.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from . import accounts, api, desk, detection, enhancement, generation, jobs, review, site

if TYPE_CHECKING:
    from .address import Address

MODULES: Final = (accounts, api, desk, detection, enhancement, generation, jobs, review, site)
ADDRESSES: Final[tuple[Address, ...]] = tuple(address for module in MODULES for address in module.ADDRESSES)
