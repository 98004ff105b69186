/* A Modbus RTU server on libmodbus, as its own examples are: libmodbus_server /dev/pts/7
 *
 * Answers reads of input registers 0 to 99 as unit 1, says "ready" and goes on until it is killed. */
#include <modbus/modbus.h>
#include <stdio.h>

enum { UNIT = 1, REGISTERS = 100, BAUD = 115200 };

int main(int count, char **words)
{
    modbus_t *line = count == 2 ? modbus_new_rtu(words[1], BAUD, 'N', 8, 1) : NULL;
    modbus_mapping_t *registers = modbus_mapping_new(0, 0, 0, REGISTERS);
    uint8_t request[MODBUS_RTU_MAX_ADU_LENGTH];

    if (!line || !registers || modbus_set_slave(line, UNIT) || modbus_connect(line)) {
        perror("libmodbus_server");
        return 1;
    }
    puts("ready");
    fflush(stdout);
    for (;;) {
        int length = modbus_receive(line, request);
        if (length > 0) {
            modbus_reply(line, request, length, registers);
        }
    }
}
