"""Drawings as DOT, SVG, PNG, PDF and Mermaid, and how they are laid out."""
