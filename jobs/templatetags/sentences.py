"""Sentences that jobs left behind, in the reader's language."""

from django import template

from jobs.sentences import told

register = template.Library()
register.filter("told", told)
