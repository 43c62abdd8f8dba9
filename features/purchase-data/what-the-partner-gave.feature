Feature: Purchase data
  What the Partner tells of the order, the customer and the shipping goes on to Klarna, as it was given.

  @AP-08
  Scenario: The purchase data goes with it
    Given a Partner with an order of 1299.50 SEK
    And Klarna will approve the payment
    When the Partner creates the payment
    Then the purchase data of the order reached Klarna

  @AP-08
  Scenario Outline: No field gets lost: <field>
    Given a Partner with an order of 1299.50 SEK
    And Klarna will approve the payment
    When the Partner creates the payment
    Then the <field> of the order reached Klarna

    Examples:
      | field                        |
      | purchase reference           |
      | name of each line            |
      | quantity of each line        |
      | price of each line           |
      | total of each line           |
      | tax of each line             |
      | article number of each line  |
      | given name of the customer   |
      | family name of the customer  |
      | email of the customer        |
      | phone of the customer        |
      | street of the customer       |
      | postal code of the customer  |
      | city of the customer         |
      | region of the customer       |
      | country of the customer      |
      | given name of the recipient  |
      | family name of the recipient |
      | street to ship to            |
      | postal code to ship to       |
      | city to ship to              |
      | region to ship to            |
      | country to ship to           |

  @AP-09
  Scenario: The order lines add up to the amount
    Given a Partner with an order of 1299.50 SEK
    And Klarna will approve the payment
    When the Partner creates the payment
    Then the order lines that reached Klarna add up to the amount
