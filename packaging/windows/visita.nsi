; The installer for Windows, for everybody on the machine. Made by scripts/package, which says:
;   VERSION  1.2.3        FILES  the folder with the programs        OUT  the installer to write
; Silent: /S installs, and "%ProgramFiles%\Visita\uninstall.exe" /S removes. What people have set,
; and the ward's keys, stay in %APPDATA%\org.visita.app.

Unicode true
Target amd64-unicode
SetCompressor /SOLID lzma
RequestExecutionLevel admin
Name "Visita"
OutFile "${OUT}"
InstallDir "$PROGRAMFILES64\Visita"
InstallDirRegKey HKLM "Software\Visita" "Folder"
BrandingText "Visita ${VERSION}"

!include MUI2.nsh
!include x64.nsh

!define MUI_ICON "${FILES}\icon.ico"
!define MUI_UNICON "${FILES}\icon.ico"
!define UNINSTALL "Software\Microsoft\Windows\CurrentVersion\Uninstall\Visita"
!define RULE "Visita"

!define MUI_FINISHPAGE_RUN "$INSTDIR\visita.exe"
!define MUI_FINISHPAGE_RUN_NOTCHECKED
!insertmacro MUI_PAGE_DIRECTORY
!insertmacro MUI_PAGE_INSTFILES
!insertmacro MUI_PAGE_FINISH
!insertmacro MUI_UNPAGE_CONFIRM
!insertmacro MUI_UNPAGE_INSTFILES
!insertmacro MUI_LANGUAGE "English"
!insertmacro MUI_LANGUAGE "SpanishInternational"

LangString RUNNING ${LANG_ENGLISH} "Visita is running. Close it, also its icon beside the clock, and try again."
LangString RUNNING ${LANG_SPANISHINTERNATIONAL} "Visita está abierta. Ciérrela, también su icono junto al reloj, e intente de nuevo."
LangString NO_WEBVIEW ${LANG_ENGLISH} "Visita is installed. To show its window this computer still needs Microsoft Edge WebView2, which newer versions of Windows have already."
LangString NO_WEBVIEW ${LANG_SPANISHINTERNATIONAL} "Visita está instalada. Para mostrar su ventana, este equipo necesita además Microsoft Edge WebView2, que las versiones recientes de Windows ya incluyen."
LangString FIREWALL ${LANG_ENGLISH} "Windows Firewall: others may reach this computer on private and work networks, so that it can host."
LangString FIREWALL ${LANG_SPANISHINTERNATIONAL} "Firewall de Windows: los demás podrán conectarse a este equipo en redes privadas y de trabajo, para que pueda ser anfitrión."

VIProductVersion "${VERSION}.0"
VIAddVersionKey /LANG=${LANG_ENGLISH} "ProductName" "Visita"
VIAddVersionKey /LANG=${LANG_ENGLISH} "FileDescription" "Installs Visita"
VIAddVersionKey /LANG=${LANG_ENGLISH} "FileVersion" "${VERSION}"
VIAddVersionKey /LANG=${LANG_ENGLISH} "LegalCopyright" "Apache-2.0"

; A program that runs can't be replaced: it can't be opened for writing either.
!macro CLOSED
    IfFileExists "$INSTDIR\visita.exe" 0 closed
    ClearErrors
    FileOpen $0 "$INSTDIR\visita.exe" a
    IfErrors 0 +4
        MessageBox MB_OK|MB_ICONEXCLAMATION "$(RUNNING)" /SD IDOK
        SetErrorLevel 2
        Abort
    FileClose $0
    closed:
!macroend

Function .onInit
    ${IfNot} ${RunningX64}
        SetErrorLevel 3
        Abort
    ${EndIf}
    SetRegView 64
FunctionEnd

Function un.onInit
    SetRegView 64
FunctionEnd

Section
    SetShellVarContext all
    !insertmacro CLOSED
    SetOutPath "$INSTDIR"
    File "${FILES}\visita.exe"
    File "${FILES}\visita-relay.exe"
    File "${FILES}\visita-client.exe"
    File "${FILES}\WebView2Loader.dll"
    File "${FILES}\icon.ico"
    File "${FILES}\LICENSE.txt"
    WriteUninstaller "$INSTDIR\uninstall.exe"
    CreateShortcut "$SMPROGRAMS\Visita.lnk" "$INSTDIR\visita.exe" "" "$INSTDIR\icon.ico"
    CreateShortcut "$DESKTOP\Visita.lnk" "$INSTDIR\visita.exe" "" "$INSTDIR\icon.ico"

    WriteRegStr HKLM "Software\Visita" "Folder" "$INSTDIR"
    WriteRegStr HKLM "${UNINSTALL}" "DisplayName" "Visita"
    WriteRegStr HKLM "${UNINSTALL}" "DisplayVersion" "${VERSION}"
    WriteRegStr HKLM "${UNINSTALL}" "DisplayIcon" "$INSTDIR\icon.ico"
    WriteRegStr HKLM "${UNINSTALL}" "UninstallString" '"$INSTDIR\uninstall.exe"'
    WriteRegStr HKLM "${UNINSTALL}" "QuietUninstallString" '"$INSTDIR\uninstall.exe" /S'
    WriteRegStr HKLM "${UNINSTALL}" "InstallLocation" "$INSTDIR"
    WriteRegDWORD HKLM "${UNINSTALL}" "NoModify" 1
    WriteRegDWORD HKLM "${UNINSTALL}" "NoRepair" 1

    ; Links to visita:// open the app.
    WriteRegStr HKLM "Software\Classes\visita" "" "URL:Visita"
    WriteRegStr HKLM "Software\Classes\visita" "URL Protocol" ""
    WriteRegStr HKLM "Software\Classes\visita\DefaultIcon" "" "$INSTDIR\icon.ico"
    WriteRegStr HKLM "Software\Classes\visita\shell\open\command" "" '"$INSTDIR\visita.exe" "%1"'

    ; A host is of no use behind a closed door. Public networks stay closed.
    DetailPrint "$(FIREWALL)"
    nsExec::Exec 'netsh advfirewall firewall add rule name="${RULE}" dir=in action=allow profile=private,domain program="$INSTDIR\visita.exe"'
    Pop $0
    nsExec::Exec 'netsh advfirewall firewall add rule name="${RULE}" dir=in action=allow profile=private,domain program="$INSTDIR\visita-relay.exe"'
    Pop $0

    ; WebView2 names itself here, for everybody or for this person alone.
    SetRegView 32
    ReadRegStr $0 HKLM "Software\Microsoft\EdgeUpdate\Clients\{F3017226-FE2A-4295-8BDF-00C3A9A7E4C5}" "pv"
    SetRegView 64
    ${If} $0 == ""
        ReadRegStr $0 HKCU "Software\Microsoft\EdgeUpdate\Clients\{F3017226-FE2A-4295-8BDF-00C3A9A7E4C5}" "pv"
    ${EndIf}
    ${If} $0 == ""
        MessageBox MB_OK|MB_ICONINFORMATION "$(NO_WEBVIEW)" /SD IDOK
    ${EndIf}
SectionEnd

Section "Uninstall"
    SetShellVarContext all
    !insertmacro CLOSED
    nsExec::Exec 'netsh advfirewall firewall delete rule name="${RULE}"'
    Pop $0
    Delete "$INSTDIR\visita.exe"
    Delete "$INSTDIR\visita-relay.exe"
    Delete "$INSTDIR\visita-client.exe"
    Delete "$INSTDIR\WebView2Loader.dll"
    Delete "$INSTDIR\icon.ico"
    Delete "$INSTDIR\LICENSE.txt"
    Delete "$INSTDIR\uninstall.exe"
    RMDir "$INSTDIR"
    Delete "$SMPROGRAMS\Visita.lnk"
    Delete "$DESKTOP\Visita.lnk"
    DeleteRegKey HKLM "Software\Classes\visita"
    DeleteRegKey HKLM "${UNINSTALL}"
    DeleteRegKey HKLM "Software\Visita"
    DeleteRegValue HKCU "Software\Microsoft\Windows\CurrentVersion\Run" "Visita"
SectionEnd
