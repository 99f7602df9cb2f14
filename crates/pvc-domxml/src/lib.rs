//! Reading and editing libvirt domain XML.
