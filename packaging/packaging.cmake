# What `cmake --install` puts where, and the .deb that `cpack` makes of it.
include(GNUInstallDirs)
set(packaging ${CMAKE_CURRENT_LIST_DIR})
install(FILES ${packaging}/coffer.service DESTINATION lib/systemd/system)
install(FILES ${packaging}/coffer.hcl ${packaging}/softhsm2.conf DESTINATION /etc/coffer)
# With the tree's own layout, so that the links between the pages hold.
install(FILES LICENSE README.md SECURITY.md CHANGELOG.md DESTINATION share/doc/coffer)
install(FILES LICENSE DESTINATION share/doc/coffer RENAME copyright)
install(DIRECTORY docs DESTINATION share/doc/coffer)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_PACKAGE_CONTACT "the coffer maintainers <maintainers@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "key-management server with its keys in a PKCS#11 token")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "adduser")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "softhsm2")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
  ${packaging}/debian/postinst ${packaging}/debian/prerm ${packaging}/debian/postrm ${packaging}/debian/conffiles)
set(CPACK_STRIP_FILES ON)
include(CPack)
